package dev.orderly.customer;

import dev.orderly.customer.CustomerCommands.CodeRequestResult;
import dev.orderly.customer.MessageLimits.TooManyMessages;
import dev.orderly.database.Atomic;
import dev.orderly.events.CustomerEvent.Contact;
import dev.orderly.events.CustomerStatus;
import dev.orderly.events.VerificationCodes;
import dev.orderly.http.Caller;
import dev.orderly.http.IdempotencyKey;
import dev.orderly.http.Problems;
import dev.orderly.http.Problems.FieldError;
import io.quarkiverse.resteasy.problem.HttpProblem;
import io.vertx.core.http.HttpServerRequest;
import jakarta.annotation.security.PermitAll;
import jakarta.annotation.security.RolesAllowed;
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
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import org.eclipse.microprofile.openapi.annotations.Operation;
import org.eclipse.microprofile.openapi.annotations.responses.APIResponse;
import org.jboss.resteasy.reactive.ResponseStatus;

/** Registration, verification and erasure. No answer repeats the personal data of its request. */
@Path("/customers")
@Produces(MediaType.APPLICATION_JSON) // or a client that accepts only XML would get toString()
public class CustomerResource {

    private final CustomerCommands commands;
    private final Caller caller;

    CustomerResource(CustomerCommands commands, Caller caller) {
        this.commands = commands;
        this.caller = caller;
    }

    public record RegistrationRequest(
            @NotNull(message = "is required") @Pattern(regexp = Contact.NAME, message = Contact.NAME_MESSAGE)
            String name,

            @NotNull(message = "is required") @Pattern(regexp = Contact.MAIL, message = Contact.MAIL_MESSAGE)
            String mail,

            @NotNull(message = "is required") @Pattern(regexp = Contact.PHONE, message = Contact.PHONE_MESSAGE)
            String phone) {

        @Override
        public String toString() {
            return "RegistrationRequest[…]";
        }
    }

    public record VerificationRequest(
            @NotNull(message = "is required")
            @Pattern(regexp = VerificationCodes.PATTERN, message = "must be six digits")
            String code) {

        @Override
        public String toString() {
            return "VerificationRequest[…]";
        }
    }

    /** Nothing about the person. */
    public record CustomerDocument(UUID id, CustomerStatus status) {}

    @POST
    @PermitAll
    @Operation(
            summary = "Register a customer",
            description =
                    "A welcome mail and an SMS with a code follow. A request that is repeated with its Idempotency-Key "
                            + "gets the same answer and does not register again.")
    @APIResponse(responseCode = "201", description = "Registered")
    @APIResponse(
            responseCode = "429",
            description = "Too many messages to this phone or mail address, or from this client; see Retry-After")
    public Response register(
            @HeaderParam(IdempotencyKey.HEADER)
                    @Pattern(regexp = IdempotencyKey.PATTERN, message = IdempotencyKey.MESSAGE)
                    String idempotencyKey,
            @HeaderParam("traceparent") String traceparent,
            @Context HttpHeaders headers,
            @Context HttpServerRequest request,
            @NotNull(message = "a body is required") @Valid RegistrationRequest registration)
            throws SQLException {
        IdempotencyKey.rejectEmpty(idempotencyKey, headers);
        var contact = new Contact(registration.name(), registration.mail(), registration.phone());
        var id = limited(() -> commands.register(contact, idempotencyKey, client(request), traceparent))
                .orElseThrow(() -> Problems.unprocessable("The Idempotency-Key was used before, for somebody else."));
        // REGISTERED, whatever the customer is by now: a repeated request gets the answer that was lost.
        return Response.created(UriBuilder.fromResource(CustomerResource.class)
                        .path("{id}")
                        .build(id))
                .entity(new CustomerDocument(id, CustomerStatus.REGISTERED))
                .build();
    }

    @GET
    @Path("/{id}")
    @RolesAllowed({Caller.CUSTOMER, Caller.CLERK, Caller.OPERATOR})
    @Operation(summary = "The status of a customer; nothing about the person")
    @Transactional
    public CustomerDocument get(@PathParam("id") UUID id) {
        return Customer.<Customer>findByIdOptional(id)
                .filter(_ -> caller.maySee(id))
                .map(customer -> new CustomerDocument(id, customer.status()))
                .orElseThrow(() -> unknown(id));
    }

    // Without a token: the code is the proof, and who has only just registered may not have an account at the
    // identity provider yet. Tries, codes and messages are limited.
    @POST
    @Path("/{id}/verification")
    @PermitAll
    @Operation(summary = "Send the code from the SMS: within ten minutes, in five tries")
    @APIResponse(responseCode = "200", description = "Verified, by this request or by one before")
    @APIResponse(responseCode = "422", description = "Not the code, or not valid any more")
    public CustomerDocument verify(
            @PathParam("id") UUID id,
            @HeaderParam("traceparent") String traceparent,
            @NotNull(message = "a body is required") @Valid VerificationRequest request)
            throws SQLException {
        var verification = commands.verify(id, request.code(), traceparent).orElseThrow(() -> unknown(id));
        return switch (verification.check()) {
            case RIGHT -> new CustomerDocument(id, CustomerStatus.VERIFIED);
            case WRONG -> throw rejected("is wrong; tries left: " + verification.triesLeft());
            case EXPIRED -> throw rejected("has expired; ask for another");
            case USED_UP -> throw rejected("was tried too often; ask for another");
        };
    }

    @POST
    @Path("/{id}/verification/codes")
    @PermitAll
    @ResponseStatus(202)
    @Operation(summary = "Request another code, which voids the one before: once a minute, five times a day")
    @APIResponse(responseCode = "202", description = "The SMS follows")
    @APIResponse(responseCode = "409", description = "Verified already")
    @APIResponse(responseCode = "429", description = "Too soon, or too many; Retry-After says when")
    public CustomerDocument requestCode(
            @PathParam("id") UUID id,
            @HeaderParam("traceparent") String traceparent,
            @Context HttpServerRequest request)
            throws SQLException {
        return switch (limited(() -> commands.requestCode(id, client(request), traceparent))) {
            case CodeRequestResult.Sent() -> new CustomerDocument(id, CustomerStatus.REGISTERED);
            case CodeRequestResult.TooSoon(var left) -> throw tooMany("Another code cannot be sent yet.", left);
            case CodeRequestResult.NotNeeded() -> throw Problems.conflict("The customer is verified already.");
            case CodeRequestResult.UnknownCustomer() -> throw unknown(id);
        };
    }

    @DELETE
    @Path("/{id}")
    @RolesAllowed({Caller.CUSTOMER, Caller.OPERATOR})
    @ResponseStatus(202)
    @Operation(
            summary = "Erase a customer",
            description = "Erased here when this answers, and by a tombstone in all other services. Orders stay, "
                    + "without a person. May be repeated.")
    @APIResponse(responseCode = "202", description = "Erased")
    @Atomic
    public CustomerDocument erase(@PathParam("id") UUID id, @HeaderParam("traceparent") String traceparent)
            throws SQLException {
        var onlyOf = caller.onlyCustomerUnless(Caller.OPERATOR);
        if (!Caller.isVisible(id, onlyOf) || !commands.erase(id, traceparent)) {
            throw unknown(id);
        }
        return new CustomerDocument(id, CustomerStatus.ERASED);
    }

    private interface Command<T> {
        T run() throws SQLException;
    }

    private static <T> T limited(Command<T> command) throws SQLException {
        try {
            return command.run();
        } catch (TooManyMessages e) {
            throw tooMany(e.getMessage(), e.retryAfter());
        }
    }

    private static String client(HttpServerRequest request) {
        return request.remoteAddress().hostAddress();
    }

    private static HttpProblem tooMany(String detail, Duration left) {
        return Problems.problem(429, detail)
                .withHeader("Retry-After", left.toSeconds() + 1)
                .build();
    }

    private static HttpProblem rejected(String why) {
        return Problems.unprocessable("The code cannot be accepted.", List.of(new FieldError("code", why)));
    }

    private static HttpProblem unknown(UUID id) {
        return Problems.notFound("There is no customer " + id + ".");
    }
}
