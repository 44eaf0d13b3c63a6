package dev.orderly.customer;

import dev.orderly.customer.CustomerCommands.CodeRequest;
import dev.orderly.customer.CustomerCommands.KeyReused;
import dev.orderly.events.CustomerEvent.Contact;
import dev.orderly.events.CustomerStatus;
import dev.orderly.events.VerificationCodes;
import dev.orderly.http.IdempotencyKey;
import io.quarkiverse.resteasy.problem.HttpProblem;
import jakarta.transaction.Transactional;
import jakarta.validation.Valid;
import jakarta.validation.constraints.NotNull;
import jakarta.validation.constraints.Pattern;
import jakarta.ws.rs.DELETE;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.HeaderParam;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.HttpHeaders;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import jakarta.ws.rs.core.UriBuilder;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.eclipse.microprofile.openapi.annotations.Operation;
import org.eclipse.microprofile.openapi.annotations.responses.APIResponse;
import org.jboss.resteasy.reactive.ResponseStatus;

/** Registration, verification and erasure. What comes in about a person does not go out again by any of these. */
@Path("/customers")
@Produces(MediaType.APPLICATION_JSON) // else who accepts XML only would be given toString()
public class CustomerResource {

    private final CustomerCommands commands;

    CustomerResource(CustomerCommands commands) {
        this.commands = commands;
    }

    /** Who wants to be a customer. */
    public record Registration(
            @NotNull(message = "is required") @Pattern(regexp = Contact.NAME, message = Contact.NAME_MESSAGE)
            String name,

            @NotNull(message = "is required") @Pattern(regexp = Contact.MAIL, message = Contact.MAIL_MESSAGE)
            String mail,

            @NotNull(message = "is required") @Pattern(regexp = Contact.PHONE, message = Contact.PHONE_MESSAGE)
            String phone) {

        @Override
        public String toString() {
            return "Registration[…]";
        }
    }

    /** The code that came by SMS. */
    public record Code(
            @NotNull(message = "is required")
            @Pattern(regexp = VerificationCodes.PATTERN, message = "must be six digits")
            String code) {

        @Override
        public String toString() {
            return "Code[…]";
        }
    }

    /** As much of a customer as anybody may know. */
    public record CustomerDocument(UUID id, CustomerStatus status) {}

    @POST
    @Operation(
            summary = "Register a customer",
            description = "A welcome mail and an SMS with a code are on their way. "
                    + "A request that is repeated with its Idempotency-Key gets the same answer and registers nobody.")
    @APIResponse(responseCode = "201", description = "Registered")
    public Response register(
            @HeaderParam(IdempotencyKey.HEADER)
                    @Pattern(regexp = IdempotencyKey.PATTERN, message = IdempotencyKey.MESSAGE)
                    String idempotencyKey,
            @HeaderParam("traceparent") String traceparent,
            @Context HttpHeaders headers,
            @NotNull(message = "a body is required") @Valid Registration registration)
            throws SQLException {
        IdempotencyKey.refuseEmpty(idempotencyKey, headers);
        var contact = new Contact(registration.name(), registration.mail(), registration.phone());
        try {
            var id = commands.register(contact, idempotencyKey, traceparent);
            // Not what they are by now: a repeated request is to get the answer that was lost.
            return Response.created(UriBuilder.fromResource(CustomerResource.class)
                            .path("{id}")
                            .build(id))
                    .entity(new CustomerDocument(id, CustomerStatus.REGISTERED))
                    .build();
        } catch (KeyReused e) {
            throw problem(422, "Unprocessable Content", "The Idempotency-Key was used before, for somebody else.")
                    .build();
        }
    }

    @GET
    @Path("/{id}")
    @Operation(summary = "How far a customer is; nothing about the person")
    @Transactional
    public CustomerDocument get(@PathParam("id") UUID id) {
        return Customer.<Customer>findByIdOptional(id)
                .map(customer -> new CustomerDocument(id, customer.status()))
                .orElseThrow(() -> unknown(id));
    }

    @POST
    @Path("/{id}/verification")
    @Operation(summary = "Give the code that came by SMS: within ten minutes, in five tries")
    @APIResponse(responseCode = "200", description = "Verified, by this request or by one before")
    @APIResponse(responseCode = "422", description = "Not the code, or not valid any more")
    public CustomerDocument verify(
            @PathParam("id") UUID id,
            @HeaderParam("traceparent") String traceparent,
            @NotNull(message = "a body is required") @Valid Code code)
            throws SQLException {
        var verification = commands.verify(id, code.code(), traceparent).orElseThrow(() -> unknown(id));
        return switch (verification.check()) {
            case RIGHT -> new CustomerDocument(id, CustomerStatus.VERIFIED);
            case WRONG -> throw refused("is wrong; tries left: " + verification.triesLeft());
            case EXPIRED -> throw refused("has expired; ask for another");
            case USED_UP -> throw refused("was tried too often; ask for another");
        };
    }

    @POST
    @Path("/{id}/verification/codes")
    @ResponseStatus(202)
    @Operation(summary = "Ask for another code, which voids the one before: once a minute, five times a day")
    @APIResponse(responseCode = "202", description = "It is on its way")
    @APIResponse(responseCode = "409", description = "Verified already")
    @APIResponse(responseCode = "429", description = "Too soon; Retry-After says when")
    public CustomerDocument requestCode(@PathParam("id") UUID id, @HeaderParam("traceparent") String traceparent)
            throws SQLException {
        return switch (commands.requestCode(id, traceparent)) {
            case CodeRequest.Sent() -> new CustomerDocument(id, CustomerStatus.REGISTERED);
            case CodeRequest.TooSoon(var left) ->
                throw problem(429, "Too Many Requests", "Another code cannot be sent yet.")
                        .withHeader("Retry-After", left.toSeconds() + 1)
                        .build();
            case CodeRequest.NotNeeded() ->
                throw problem(409, "Conflict", "The customer is verified already.")
                        .build();
            case CodeRequest.UnknownCustomer() -> throw unknown(id);
        };
    }

    @DELETE
    @Path("/{id}")
    @ResponseStatus(202)
    @Operation(
            summary = "Forget a customer",
            description =
                    "Forgotten here when this answers, and on its way to all others. Orders stay, without a person. "
                            + "May be repeated.")
    @APIResponse(responseCode = "202", description = "Erased")
    public CustomerDocument erase(@PathParam("id") UUID id, @HeaderParam("traceparent") String traceparent)
            throws SQLException {
        if (!commands.erase(id, traceparent)) {
            throw unknown(id);
        }
        return new CustomerDocument(id, CustomerStatus.ERASED);
    }

    private static HttpProblem refused(String why) {
        return problem(422, "Unprocessable Content", "The code cannot be accepted.")
                .with("errors", List.of(Map.of("field", "code", "message", why)))
                .build();
    }

    private static HttpProblem unknown(UUID id) {
        return problem(404, "Not Found", "There is no customer " + id + ".").build();
    }

    private static HttpProblem.Builder problem(int status, String title, String detail) {
        return HttpProblem.builder().withStatus(status).withTitle(title).withDetail(detail);
    }
}
