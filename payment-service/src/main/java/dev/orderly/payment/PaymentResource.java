package dev.orderly.payment;

import dev.orderly.events.Money;
import dev.orderly.events.PaymentMethod;
import dev.orderly.http.Caller;
import dev.orderly.http.Problems;
import dev.orderly.payment.Payment.Status;
import jakarta.annotation.security.RolesAllowed;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import java.sql.SQLException;
import java.time.Instant;
import java.util.UUID;

/** Shows the payment of an order. */
@Path("/payments")
public class PaymentResource {

    private final Payments payments;
    private final Caller caller;

    PaymentResource(Payments payments, Caller caller) {
        this.payments = payments;
        this.caller = caller;
    }

    /** A payment without the token of its card. */
    record PaymentView(
            UUID orderId,
            UUID customerId,
            PaymentMethod method,
            Status status,
            Money amount,
            String reason,
            Instant occurredAt) {

        static PaymentView of(Payment payment) {
            return new PaymentView(
                    payment.orderId(),
                    payment.customerId(),
                    payment.byCard() ? PaymentMethod.CARD : PaymentMethod.BALANCE,
                    payment.status(),
                    payment.amount(),
                    payment.reason(),
                    payment.occurredAt());
        }
    }

    @GET
    @Path("/{orderId}")
    @RolesAllowed({Caller.CUSTOMER, Caller.CLERK, Caller.OPERATOR})
    public PaymentView get(@PathParam("orderId") UUID orderId) throws SQLException {
        return payments.find(orderId)
                .filter(payment -> caller.maySee(payment.customerId()))
                .map(PaymentView::of)
                .orElseThrow(() -> Problems.notFound("No payment of order " + orderId + " is known."));
    }
}
