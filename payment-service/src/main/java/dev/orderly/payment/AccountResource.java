package dev.orderly.payment;

import dev.orderly.database.Atomic;
import dev.orderly.events.Money;
import dev.orderly.http.Caller;
import dev.orderly.http.CommandAudit;
import dev.orderly.http.IdempotencyKey;
import dev.orderly.http.Problems;
import dev.orderly.payment.Ledger.Account;
import dev.orderly.payment.Ledger.Deposit;
import jakarta.annotation.security.RolesAllowed;
import jakarta.validation.Valid;
import jakarta.validation.constraints.NotNull;
import jakarta.validation.constraints.Pattern;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.HeaderParam;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import java.sql.SQLException;
import java.time.Clock;
import java.util.UUID;
import org.jboss.resteasy.reactive.ResponseStatus;

/** Customers' accounts: balances, statement and deposits. The first deposit opens an account. */
@Path("/accounts/{customerId}")
public class AccountResource {

    /** In minor units. Far above need, and far below where a sum of deposits overflows. */
    private static final long MAX_DEPOSIT = 100_000_000_00L;

    private final Ledger ledger;
    private final Clock clock;
    private final Caller caller;
    private final CommandAudit audit;

    AccountResource(Ledger ledger, Clock clock, Caller caller, CommandAudit audit) {
        this.ledger = ledger;
        this.clock = clock;
        this.caller = caller;
        this.audit = audit;
    }

    record DepositRequest(@NotNull Money amount) {}

    @GET
    @RolesAllowed({Caller.CUSTOMER, Caller.CLERK, Caller.OPERATOR})
    public Account get(@PathParam("customerId") UUID customerId) throws SQLException {
        return ledger.account(customerId)
                .filter(_ -> caller.maySee(customerId))
                .orElseThrow(() -> Problems.notFound("Customer " + customerId + " has no account."));
    }

    /**
     * Makes a deposit; a request that is repeated with its key makes it once and gets the same response. So
     * there is none without a key: its repetition would pay in a second time.
     *
     * @param key 1 to 255 printable ASCII characters without spaces, unique per customer and request
     */
    @POST
    @Path("/deposits")
    @RolesAllowed(Caller.CLERK)
    @ResponseStatus(201)
    @Atomic
    public Deposit deposit(
            @PathParam("customerId") UUID customerId,
            @HeaderParam(IdempotencyKey.HEADER)
                    @NotNull(message = IdempotencyKey.REQUIRED)
                    @Pattern(regexp = IdempotencyKey.PATTERN, message = IdempotencyKey.MESSAGE)
                    String key,
            @NotNull(message = "must not be empty") @Valid DepositRequest request)
            throws SQLException {
        var amount = request.amount();
        if (amount.amount() < 1 || amount.amount() > MAX_DEPOSIT) {
            throw Problems.badRequest("amount.amount", "must be between 1 and " + MAX_DEPOSIT + " minor units");
        }
        var previous = ledger.lockDeposit(customerId, key);
        if (previous.isPresent()) {
            return previous.filter(deposit -> deposit.amount().equals(amount))
                    .orElseThrow(() ->
                            Problems.unprocessable("This Idempotency-Key was used for a deposit of another amount."));
        }
        audit.add("deposit " + amount.amount() + " " + amount.currency(), "account " + customerId);
        return ledger.deposit(customerId, amount, key, clock.instant());
    }
}
