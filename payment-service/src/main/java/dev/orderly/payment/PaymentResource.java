package dev.orderly.payment;

import io.quarkiverse.resteasy.problem.HttpProblem;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.core.Response.Status;
import java.sql.SQLException;
import java.util.UUID;

/** What became of the payment of an order. */
@Path("/payments")
public class PaymentResource {

    private final Payments payments;

    PaymentResource(Payments payments) {
        this.payments = payments;
    }

    @GET
    @Path("/{orderId}")
    public Payment get(@PathParam("orderId") UUID orderId) throws SQLException {
        return payments.find(orderId)
                .orElseThrow(
                        () -> HttpProblem.valueOf(Status.NOT_FOUND, "No payment of order " + orderId + " is known."));
    }
}
