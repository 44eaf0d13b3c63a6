package dev.orderly.payment;

import dev.orderly.events.Money;
import dev.orderly.events.PaymentMethod;
import dev.orderly.http.Problems;
import dev.orderly.payment.Payment.Status;
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

    PaymentResource(Payments payments) {
        this.payments = payments;
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
                    payment.card() == null ? PaymentMethod.BALANCE : PaymentMethod.CARD,
                    payment.status(),
                    payment.amount(),
                    payment.reason(),
                    payment.occurredAt());
        }
    }

    @GET
    @Path("/{orderId}")
    public PaymentView get(@PathParam("orderId") UUID orderId) throws SQLException {
        return payments.find(orderId)
                .map(PaymentView::of)
                .orElseThrow(() -> Problems.notFound("No payment of order " + orderId + " is known."));
    }
}
