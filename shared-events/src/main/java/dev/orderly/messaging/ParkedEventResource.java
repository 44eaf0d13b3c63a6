package dev.orderly.messaging;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.orderly.database.Atomic;
import dev.orderly.events.EventFormat;
import dev.orderly.events.EventJson;
import dev.orderly.events.Topic;
import dev.orderly.http.Caller;
import dev.orderly.http.Problems;
import jakarta.annotation.security.RolesAllowed;
import jakarta.validation.Valid;
import jakarta.validation.constraints.Max;
import jakarta.validation.constraints.Min;
import jakarta.validation.constraints.NotBlank;
import jakarta.validation.constraints.NotNull;
import jakarta.validation.constraints.Pattern;
import jakarta.validation.constraints.Size;
import jakarta.ws.rs.DefaultValue;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.QueryParam;
import java.io.IOException;
import java.sql.SQLException;
import java.util.Base64;
import java.util.List;
import java.util.UUID;
import org.eclipse.microprofile.openapi.annotations.Operation;
import org.jboss.resteasy.reactive.ResponseStatus;

/** For operators: lists the {@link ParkedEvents}, redrives and discards them. */
@Path("/parked-events")
@RolesAllowed(Caller.OPERATOR)
public class ParkedEventResource {

    // PostgreSQL accepts neither a NUL nor half of a surrogate pair, not even as a search term.
    private static final String TEXT = "[^\\x00\\p{Cs}]*";
    private static final String TEXT_MESSAGE = "must have whole characters only, and no NUL";

    private final ParkedEvents parkedEvents;
    private final ParkedEventAudit audit;
    private final EventPayloads payloads;
    private final Caller caller;

    ParkedEventResource(ParkedEvents parkedEvents, ParkedEventAudit audit, EventPayloads payloads, Caller caller) {
        this.parkedEvents = parkedEvents;
        this.audit = audit;
        this.payloads = payloads;
        this.caller = caller;
    }

    /** What is recorded of an action, beside the subject of the operator's token, and never deleted. */
    public record Instruction(
            @NotBlank(message = "is required")
            @Size(max = 1000, message = "must not be longer than 1000 characters")
            @Pattern(regexp = TEXT, message = TEXT_MESSAGE)
            String why) {}

    /**
     * A parked event with its record; without the payload when that is personal data.
     *
     * @param payload as text; of another format its JSON, or Base64 when it cannot be decoded
     */
    public record ParkedEventDetails(ParkedEvent event, List<String> headers, String payload) {}

    @GET
    @Operation(summary = "What is parked, the oldest first")
    public List<ParkedEvent> list(
            @QueryParam("consumer") @Pattern(regexp = TEXT, message = TEXT_MESSAGE) String consumer,
            @QueryParam("key") @Pattern(regexp = TEXT, message = TEXT_MESSAGE) String key,
            @QueryParam("after") @DefaultValue("0") long after,
            @QueryParam("limit")
                    @DefaultValue("100")
                    @Min(value = 1, message = "must be at least 1")
                    @Max(value = 1000, message = "must be at most 1000")
                    int limit)
            throws SQLException {
        return parkedEvents.page(consumer, key, after, limit);
    }

    @GET
    @Path("/actions")
    @Operation(summary = "What operators did, and why, the newest first")
    public List<ParkedEventAudit.Action> actions(
            @QueryParam("limit")
                    @DefaultValue("100")
                    @Min(value = 1, message = "must be at least 1")
                    @Max(value = 1000, message = "must be at most 1000")
                    int limit)
            throws SQLException {
        return audit.newest(limit);
    }

    @GET
    @Path("/{consumer}/{eventId}")
    @Operation(summary = "A parked event with its record")
    public ParkedEventDetails show(
            @PathParam("consumer") @Pattern(regexp = TEXT, message = TEXT_MESSAGE) String consumer,
            @PathParam("eventId") UUID eventId)
            throws SQLException {
        var event = found(consumer, eventId);
        return new ParkedEventDetails(
                event,
                event.headers(),
                event.payload() == null || Topic.isErasable(event.topic()) ? null : payload(event));
    }

    private String payload(ParkedEvent event) {
        var contentType = event.contentType();
        if (contentType == null || contentType.equals(EventFormat.JSON.contentType())) {
            return new String(event.payload(), UTF_8);
        }
        var type = EventJson.typeNamed(String.valueOf(event.type()));
        try {
            return EventJson.write(payloads.read(type, contentType, event.key(), event.payload()));
        } catch (IOException | RuntimeException _) { // it is parked, perhaps because of that
            return Base64.getEncoder().encodeToString(event.payload());
        }
    }

    @POST
    @Path("/{consumer}/{eventId}/redrive")
    @ResponseStatus(202)
    @Atomic
    @Operation(summary = "Retry it and all that is parked of its key, now and in order")
    public void redrive(
            @PathParam("consumer") @Pattern(regexp = TEXT, message = TEXT_MESSAGE) String consumer,
            @PathParam("eventId") UUID eventId,
            @Valid @NotNull(message = "a body is required") Instruction instruction)
            throws SQLException {
        parkedEvents.redrive(found(consumer, eventId), caller.subject(), instruction.why());
    }

    @POST
    @Path("/{consumer}/{eventId}/discard")
    @ResponseStatus(204)
    @Atomic
    @Operation(summary = "Discard it; what is parked behind it takes effect without it")
    public void discard(
            @PathParam("consumer") @Pattern(regexp = TEXT, message = TEXT_MESSAGE) String consumer,
            @PathParam("eventId") UUID eventId,
            @Valid @NotNull(message = "a body is required") Instruction instruction)
            throws SQLException {
        parkedEvents.discard(found(consumer, eventId), caller.subject(), instruction.why());
    }

    private ParkedEvent found(String consumer, UUID eventId) throws SQLException {
        return parkedEvents
                .find(consumer, eventId)
                .orElseThrow(() -> Problems.notFound("No event " + eventId + " is parked by " + consumer + "."));
    }
}
