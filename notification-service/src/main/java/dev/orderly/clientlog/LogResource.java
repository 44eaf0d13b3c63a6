package dev.orderly.clientlog;

import dev.orderly.clientlog.LogLineParser.ParseResult;
import dev.orderly.clientlog.LogReceiver.AcceptedLine;
import dev.orderly.http.Problems;
import io.quarkus.security.Authenticated;
import io.smallrye.common.annotation.Blocking;
import io.smallrye.mutiny.Uni;
import io.vertx.ext.web.RoutingContext;
import jakarta.ws.rs.Consumes;
import jakarta.ws.rs.HeaderParam;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.HttpHeaders;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.eclipse.microprofile.openapi.annotations.Operation;
import org.eclipse.microprofile.openapi.annotations.enums.SchemaType;
import org.eclipse.microprofile.openapi.annotations.media.Content;
import org.eclipse.microprofile.openapi.annotations.media.Schema;
import org.eclipse.microprofile.openapi.annotations.parameters.RequestBody;
import org.eclipse.microprofile.openapi.annotations.responses.APIResponse;

/** Accepts client logs in batches. */
@Path(LogReceiver.PATH)
@Produces(MediaType.APPLICATION_JSON) // otherwise an Accept header of XML would be answered with toString()
public class LogResource {

    static final String NDJSON = "application/x-ndjson";

    static final int MAX_BATCH_LINES = 10_000;

    /** Bounds the response to a batch of invalid lines. */
    static final int MAX_ERRORS = 1_000;

    private final LogLineParser parser;
    private final LogReceiver receiver;

    LogResource(LogLineParser parser, LogReceiver receiver) {
        this.parser = parser;
        this.receiver = receiver;
    }

    /** @param line 1 for the first line of the batch */
    public record Rejection(int line, String reason) {}

    /** @param errors about the rejected lines, or the first {@value #MAX_ERRORS} of them */
    public record Receipt(int accepted, int rejected, List<Rejection> errors) {}

    @POST
    @Authenticated // of any role; without a token anyone could fill the disk
    @Consumes(NDJSON)
    @Blocking // while it parses; no thread waits for the brokers
    @Operation(
            summary = "Append lines to a client's log",
            description =
                    "One JSON object per line: clientId, at, level (TRACE to ERROR), message. Accepted lines are on all"
                            + " in-sync replicas and will be stored once. A batch that is sent again is stored again.")
    @RequestBody(content = @Content(mediaType = NDJSON, schema = @Schema(type = SchemaType.STRING)))
    @APIResponse(responseCode = "202", description = "Accepted, except for the lines in errors")
    @APIResponse(responseCode = "400", description = "No line of the batch is valid")
    @APIResponse(responseCode = "413", description = "The batch exceeds its maximum of bytes or lines")
    @APIResponse(responseCode = "429", description = "Too many bytes in flight; try again after Retry-After")
    @APIResponse(responseCode = "503", description = "Not acknowledged by the brokers; try again after Retry-After")
    public Uni<Response> append(
            @Context RoutingContext request, @HeaderParam(HttpHeaders.CONTENT_ENCODING) String encoding, byte[] batch) {
        if (encoding != null && !encoding.equals("identity")) {
            throw Problems.problem(415, "Send the lines as they are, not compressed.")
                    .build();
        }
        var lines = LogLineParser.split(batch);
        if (lines.size() > MAX_BATCH_LINES) {
            throw Problems.problem(413, "A batch has at most " + MAX_BATCH_LINES + " lines.")
                    .build();
        }
        var accepted = new ArrayList<AcceptedLine>();
        var rejected = new ArrayList<Rejection>();
        for (var line : lines) {
            switch (parser.parse(line.bytes())) {
                case ParseResult.Parsed(var parsed) ->
                    accepted.add(new AcceptedLine(line.number(), parsed, line.bytes()));
                case ParseResult.Rejected(var reason) -> rejected.add(new Rejection(line.number(), reason));
            }
        }
        if (accepted.isEmpty()) {
            throw Problems.problem(400, "There is no line in the batch that could be kept.")
                    .with("errors", rejected.stream().limit(MAX_ERRORS).toList())
                    .build();
        }
        return receiver.publish(LogReceiver.reservationOf(request), accepted)
                .map(failed -> respond(accepted.size(), rejected, failed));
    }

    private static Response respond(int sent, List<Rejection> rejected, Set<Integer> failed) {
        if (failed.size() == sent) {
            throw Problems.unavailable("The lines may have been taken or not; send them again.");
        }
        var errors = Stream.concat(
                        rejected.stream(),
                        failed.stream()
                                .sorted()
                                .map(line -> new Rejection(line, "may not have been taken; send it again")))
                .limit(MAX_ERRORS)
                .toList();
        return Response.accepted(new Receipt(sent - failed.size(), rejected.size() + failed.size(), errors))
                .build();
    }
}
