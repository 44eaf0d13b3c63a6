package dev.orderly.clientlog;

import dev.orderly.clientlog.LogLineParser.Reading;
import dev.orderly.clientlog.LogReceiver.Accepted;
import io.quarkiverse.resteasy.problem.HttpProblem;
import io.smallrye.common.annotation.Blocking;
import io.smallrye.mutiny.Uni;
import jakarta.ws.rs.Consumes;
import jakarta.ws.rs.HeaderParam;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.HttpHeaders;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.eclipse.microprofile.openapi.annotations.Operation;
import org.eclipse.microprofile.openapi.annotations.media.Content;
import org.eclipse.microprofile.openapi.annotations.media.Schema;
import org.eclipse.microprofile.openapi.annotations.parameters.RequestBody;
import org.eclipse.microprofile.openapi.annotations.responses.APIResponse;

/** Logs of clients, many lines at a time. */
@Path(LogReceiver.PATH)
@Produces(MediaType.APPLICATION_JSON) // else who accepts XML only would be given toString()
public class LogResource {

    static final String NDJSON = "application/x-ndjson";

    /** Of a batch. */
    static final int MOST_LINES = 10_000;

    /** A batch of nothing but mistakes is not answered by a longer one. */
    static final int MOST_NAMED = 1_000;

    private final LogLineParser lines;
    private final LogReceiver intake;

    LogResource(LogLineParser lines, LogReceiver intake) {
        this.lines = lines;
        this.intake = intake;
    }

    /** @param line 1 for the first */
    public record Rejection(int line, String reason) {}

    /** @param errors about the rejected lines, or the first {@value #MOST_NAMED} of them */
    public record Receipt(int accepted, int rejected, List<Rejection> errors) {}

    @POST
    @Consumes(NDJSON)
    @Blocking // for as long as it reads; nobody waits for the brokers
    @Operation(
            summary = "Keep the lines of a client's log",
            description =
                    "One JSON object to a line: clientId, at, level (TRACE to ERROR), message. What is counted as accepted"
                            + " is on all in-sync replicas, and will be kept once. A batch that is sent again is kept again.")
    @RequestBody(
            content =
                    @Content(
                            mediaType = NDJSON,
                            schema =
                                    @Schema(
                                            type =
                                                    org.eclipse.microprofile.openapi.annotations.enums.SchemaType
                                                            .STRING)))
    @APIResponse(responseCode = "202", description = "Taken, all but the lines that are named")
    @APIResponse(responseCode = "400", description = "Not one of the lines is fit")
    @APIResponse(responseCode = "413", description = "More bytes or lines than a batch may have")
    @APIResponse(responseCode = "429", description = "As much is under way as can be held; try again after Retry-After")
    @APIResponse(responseCode = "503", description = "The brokers have not acknowledged; try again after Retry-After")
    public Uni<Response> append(@HeaderParam(HttpHeaders.CONTENT_ENCODING) String encoding, byte[] batch) {
        if (encoding != null && !encoding.equals("identity")) {
            throw problem(415, "Unsupported Media Type", "Send the lines as they are, not compressed.")
                    .build();
        }
        var numbered = LogLineParser.split(batch);
        if (numbered.size() > MOST_LINES) {
            throw problem(413, "Content Too Large", "A batch has at most " + MOST_LINES + " lines.")
                    .build();
        }
        var accepted = new ArrayList<Accepted>();
        var rejected = new ArrayList<Rejection>();
        for (var line : numbered) {
            switch (lines.read(line.bytes())) {
                case Reading.Line(var read) -> accepted.add(new Accepted(line.number(), read, line.bytes()));
                case Reading.Unfit(var reason) -> rejected.add(new Rejection(line.number(), reason));
            }
        }
        if (accepted.isEmpty()) {
            throw problem(400, "Bad Request", "There is no line in the batch that could be kept.")
                    .with("errors", rejected.stream().limit(MOST_NAMED).toList())
                    .build();
        }
        return intake.take(accepted).map(failed -> answer(accepted.size(), rejected, failed));
    }

    private static Response answer(int sent, List<Rejection> rejected, Set<Integer> failed) {
        if (failed.size() == sent) {
            throw problem(503, "Service Unavailable", "The lines may have been taken or not; send them again.")
                    .withHeader("Retry-After", LogReceiver.RETRY_AFTER_SECONDS)
                    .build();
        }
        var errors = Stream.concat(
                        rejected.stream(),
                        failed.stream()
                                .sorted()
                                .map(line -> new Rejection(line, "may not have been taken; send it again")))
                .limit(MOST_NAMED)
                .toList();
        return Response.accepted(new Receipt(sent - failed.size(), rejected.size() + failed.size(), errors))
                .build();
    }

    private static HttpProblem.Builder problem(int status, String title, String detail) {
        return HttpProblem.builder().withStatus(status).withTitle(title).withDetail(detail);
    }
}
