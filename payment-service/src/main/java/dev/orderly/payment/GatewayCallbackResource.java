package dev.orderly.payment;

import dev.orderly.payment.GatewayResult.ProtocolViolation;
import io.micrometer.core.instrument.MeterRegistry;
import io.quarkiverse.resteasy.problem.HttpProblem;
import jakarta.annotation.security.PermitAll;
import jakarta.ws.rs.Consumes;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.HttpHeaders;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import jakarta.ws.rs.core.Response.Status;
import java.sql.SQLException;
import java.util.Locale;
import org.eclipse.microprofile.openapi.annotations.Operation;
import org.eclipse.microprofile.openapi.annotations.responses.APIResponse;
import org.jboss.logging.Logger;

/**
 * Receives the payment gateway's callbacks. 200 acknowledges: the callback is stored and has taken effect,
 * now or before; after any other status the gateway delivers it again. A rejection has no detail, so that a
 * forger learns nothing. Without a valid signature it costs a digest and no database access, so it needs no
 * rate limit of its own.
 */
@Path("/payments/callbacks")
public class GatewayCallbackResource {

    static final String SIGNATURE = "Orderly-Signature";

    private static final Logger LOG = Logger.getLogger(GatewayCallbackResource.class);
    private static final int MAX_BODY_BYTES = 16 * 1024;

    private final GatewayCallbackSignatures signatures;
    private final GatewayResultHandler results;
    private final MeterRegistry metrics;

    GatewayCallbackResource(GatewayCallbackSignatures signatures, GatewayResultHandler results, MeterRegistry metrics) {
        this.signatures = signatures;
        this.results = results;
        this.metrics = metrics;
    }

    @POST
    @PermitAll // the gateway has no token: it signs
    @Consumes(MediaType.APPLICATION_JSON)
    @Operation(
            summary = "For the payment gateway: what happened to a payment",
            description = "Signed in the header " + SIGNATURE
                    + ": t=<seconds>,v1=<hex of HMAC-SHA256 over \"<seconds>.<body>\">, at most 300 s old.")
    @APIResponse(responseCode = "200", description = "Stored and applied; a duplicate changes nothing")
    @APIResponse(responseCode = "400", description = "Not an event, or not consistent with the payment")
    @APIResponse(responseCode = "401", description = "Not signed by the gateway, or the signature is too old")
    @APIResponse(responseCode = "404", description = "There is no such payment, or not yet")
    public Response receive(@Context HttpHeaders headers, byte[] body) throws SQLException {
        if (body.length > MAX_BODY_BYTES) {
            throw reject("too_large", Status.REQUEST_ENTITY_TOO_LARGE);
        }
        var signature = headers.getRequestHeader(SIGNATURE);
        if (signature == null || signature.size() != 1 || !signatures.isValid(signature.getFirst(), body)) {
            throw reject("invalid_signature", Status.UNAUTHORIZED);
        }
        try {
            var effect = results.handle(GatewayResult.readCallback(body), body);
            var outcome = effect.name().toLowerCase(Locale.ROOT);
            switch (effect) {
                case APPLIED, NO_CHANGE -> count(outcome);
                case UNKNOWN_PAYMENT -> throw reject(outcome, Status.NOT_FOUND);
                case PAYMENT_MISMATCH, ID_REUSED -> throw reject(outcome, Status.BAD_REQUEST);
            }
            return Response.ok().build();
        } catch (ProtocolViolation e) {
            LOG.errorf("the gateway signed a callback that is malformed: %s", e.getMessage());
            throw reject("malformed", Status.BAD_REQUEST);
        }
    }

    private HttpProblem reject(String outcome, Status status) {
        count(outcome);
        return HttpProblem.builder()
                .withStatus(status)
                .withTitle(status.getReasonPhrase())
                .build();
    }

    private void count(String outcome) {
        metrics.counter("orderly.gateway.callbacks", "outcome", outcome).increment();
    }
}
