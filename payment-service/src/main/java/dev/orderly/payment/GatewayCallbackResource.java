package dev.orderly.payment;

import dev.orderly.payment.GatewayResult.ProtocolViolation;
import dev.orderly.payment.GatewayResultHandler.Effect;
import io.micrometer.core.instrument.MeterRegistry;
import io.quarkiverse.resteasy.problem.HttpProblem;
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
 * Where the payment gateway calls back. 200 says that the callback is stored and has taken effect, now or before; after
 * anything else the gateway sends it again. Whoever else calls learns nothing: a refusal has no detail, and one that is not
 * signed costs us a digest and no database, so it needs no limit of its own.
 */
@Path("/payments/callbacks")
public class GatewayCallbackResource {

    static final String SIGNATURE = "Orderly-Signature";

    private static final Logger LOG = Logger.getLogger(GatewayCallbackResource.class);
    private static final int MAX_BODY = 16 * 1024;

    private final GatewayCallbackSignatures signatures;
    private final GatewayResultHandler settlement;
    private final MeterRegistry metrics;

    GatewayCallbackResource(
            GatewayCallbackSignatures signatures, GatewayResultHandler settlement, MeterRegistry metrics) {
        this.signatures = signatures;
        this.settlement = settlement;
        this.metrics = metrics;
    }

    @POST
    @Consumes(MediaType.APPLICATION_JSON)
    @Operation(
            summary = "For the payment gateway: what became of a payment",
            description = "Signed in the header " + SIGNATURE
                    + ": t=<seconds>,v1=<hex of HMAC-SHA256 over \"<seconds>.<body>\">, at most 300 s old.")
    @APIResponse(responseCode = "200", description = "Stored, and in effect; a copy changes nothing")
    @APIResponse(responseCode = "400", description = "Not an event of a payment of ours")
    @APIResponse(responseCode = "401", description = "Not signed by the gateway, or too long ago")
    @APIResponse(responseCode = "404", description = "There is no such payment, or not yet")
    public Response receive(@Context HttpHeaders headers, byte[] body) throws SQLException {
        if (body.length > MAX_BODY) {
            throw refused("too_large", Status.REQUEST_ENTITY_TOO_LARGE);
        }
        var signature = headers.getRequestHeader(SIGNATURE);
        if (signature == null || signature.size() != 1 || !signatures.isValid(signature.getFirst(), body)) {
            throw refused("not_signed", Status.UNAUTHORIZED);
        }
        try {
            var told = GatewayResult.told(body);
            var verdict = settlement.settle(told, body);
            switch (verdict) {
                case SETTLED, NO_CHANGE -> count(verdict);
                case UNKNOWN_PAYMENT -> throw refused(name(verdict), Status.NOT_FOUND);
                case PAYMENT_MISMATCH, ID_REUSED -> throw refused(name(verdict), Status.BAD_REQUEST);
            }
            return Response.ok().build();
        } catch (ProtocolViolation e) {
            LOG.errorf("the gateway has signed what we cannot read: %s", e.getMessage());
            throw refused("unreadable", Status.BAD_REQUEST);
        }
    }

    private HttpProblem refused(String outcome, Status status) {
        count(outcome);
        return HttpProblem.builder()
                .withStatus(status)
                .withTitle(status.getReasonPhrase())
                .build();
    }

    private void count(Effect verdict) {
        count(name(verdict));
    }

    private void count(String outcome) {
        metrics.counter("orderly.callbacks", "outcome", outcome).increment();
    }

    private static String name(Effect verdict) {
        return verdict.name().toLowerCase(Locale.ROOT);
    }
}
