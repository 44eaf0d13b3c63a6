package dev.orderly.payment;

import static io.quarkus.scheduler.Scheduled.ConcurrentExecution.SKIP;

import dev.orderly.database.DatabaseMigration;
import dev.orderly.payment.GatewayResult.ProtocolViolation;
import dev.orderly.payment.GatewayResultHandler.Effect;
import io.micrometer.core.instrument.MeterRegistry;
import io.quarkus.runtime.ShutdownEvent;
import io.quarkus.scheduler.Scheduled;
import io.smallrye.faulttolerance.api.CircuitBreakerMaintenance;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import jakarta.enterprise.event.TransactionPhase;
import java.io.IOException;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.eclipse.microprofile.faulttolerance.exceptions.FaultToleranceException;
import org.jboss.logging.Logger;

/**
 * Asks the payment gateway for what the open payments wait for, each until that is settled ({@link GatewayAttempt}). The one layer
 * that repeats a request: within a budget, so that a gateway that comes back finds no flood, and not at all while the circuit
 * is open.
 *
 * <p>Always after a commit and never inside of a transaction: a claim is a lease that is committed first, the gateway may take
 * its time, and its answer is a transaction of its own ({@link GatewayResultHandler}). An instance that dies in between has asked, or
 * not; whoever gets the payment when the lease is over asks again, and the gateway knows it by its id.
 */
@ApplicationScoped
class GatewayDispatcher {

    private static final Logger LOG = Logger.getLogger(GatewayDispatcher.class);

    /** Requests under way at once. */
    private static final int AT_ONCE = 20;

    /** Of payments that were asked for before, in a second: the budget of what is repeated. */
    private static final int REPEATS_PER_SECOND = 20;

    /** Requests while the circuit is half open, to see whether the gateway is back. */
    private static final int TRIALS = 2;

    /** Longer than two requests and a transaction can take; so nobody else begins while we are at it. */
    private static final Duration LEASE = Duration.ofSeconds(30);

    /** How long the end of the application waits for what is under way. */
    private static final Duration GRACE = Duration.ofSeconds(2);

    /** One run at a time and one more that waits; whatever a third was to find, the one that waits will find. */
    private final ThreadPoolExecutor runs = new ThreadPoolExecutor(
            1,
            1,
            0,
            TimeUnit.SECONDS,
            new ArrayBlockingQueue<>(1),
            Thread.ofPlatform().name("gateway-caller").daemon().factory(),
            new ThreadPoolExecutor.DiscardPolicy());

    private final ExecutorService calls = Executors.newVirtualThreadPerTaskExecutor();
    private final Semaphore free = new Semaphore(AT_ONCE);
    private final AtomicInteger budget = new AtomicInteger(REPEATS_PER_SECOND);

    private final Payments payments;
    private final GatewayClient gateway;
    private final GatewayResultHandler settlement;
    private final CircuitBreakerMaintenance circuits;
    private final MeterRegistry metrics;

    GatewayDispatcher(
            Payments payments,
            GatewayClient gateway,
            GatewayResultHandler settlement,
            CircuitBreakerMaintenance circuits,
            MeterRegistry metrics) {
        this.payments = payments;
        this.gateway = gateway;
        this.settlement = settlement;
        this.circuits = circuits;
        this.metrics = metrics;
    }

    /** There are open payments, once the current transaction has committed. */
    record CallsDue() {}

    void wake(@Observes(during = TransactionPhase.AFTER_SUCCESS) CallsDue due) {
        wake();
    }

    @Scheduled(every = "1s", concurrentExecution = SKIP, skipExecutionIf = DatabaseMigration.class)
    void tick() {
        budget.set(REPEATS_PER_SECOND);
        wake();
    }

    private void wake() {
        runs.execute(this::askDue);
    }

    void stop(@Observes ShutdownEvent event) throws InterruptedException {
        runs.shutdown();
        runs.awaitTermination(GRACE.toMillis(), TimeUnit.MILLISECONDS);
        calls.shutdown();
        if (!calls.awaitTermination(GRACE.toMillis(), TimeUnit.MILLISECONDS)) {
            calls.shutdownNow();
            LOG.warnf("stopped while the gateway was asked; it is asked again in %d s", LEASE.toSeconds());
        }
    }

    private void askDue() {
        try {
            var room = room();
            while (room > 0 && !runs.isShutdown()) {
                var attempts = payments.claim(room, budget.get(), LEASE);
                for (var attempt : attempts) {
                    if (attempt.number() > 1) {
                        budget.decrementAndGet();
                    }
                    free.acquire(); // never waits: nobody else takes of them
                    calls.execute(() -> {
                        try {
                            ask(attempt);
                        } finally {
                            free.release();
                            wake(); // for those that found no room
                        }
                    });
                }
                room = attempts.size() < room ? 0 : room();
            }
        } catch (SQLException e) {
            LOG.warnf("trying again in a second: %s", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private int room() {
        return switch (circuits.currentState(GatewayClient.CIRCUIT)) {
            case CLOSED -> free.availablePermits();
            case HALF_OPEN -> Math.min(TRIALS, free.availablePermits());
            case OPEN -> 0;
        };
    }

    private void ask(GatewayAttempt attempt) {
        try {
            try {
                var verdict = settlement.settle(answer(attempt));
                count(verdict == Effect.SETTLED ? "settled" : "waiting");
                if (verdict != Effect.SETTLED) {
                    postpone(attempt, "the gateway is still at it");
                }
            } catch (IOException | FaultToleranceException | ProtocolViolation e) {
                count("failed");
                postpone(attempt, e.toString());
            }
        } catch (SQLException | RuntimeException e) {
            // The lease ends, and it is asked again.
            LOG.warnf("payment %s is asked for again in %d s: %s", id(attempt), LEASE.toSeconds(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** What was asked for before may have been done: then the first thing to ask is what became of that. */
    private GatewayResult answer(GatewayAttempt attempt) throws IOException, InterruptedException, ProtocolViolation {
        var payment = attempt.payment();
        return switch (payment.status()) {
            case REQUESTED -> {
                var known = attempt.number() > 1 ? gateway.find(payment) : Optional.<GatewayResult>empty();
                yield known.isPresent() ? known.get() : gateway.capture(payment);
            }
            case CANCELLING -> gateway.cancel(payment);
            case REFUNDING -> gateway.refund(payment);
            case EXPECTED, CAPTURED, DECLINED, VOID, REFUNDED ->
                throw new IllegalStateException("not open: " + payment.orderId());
        };
    }

    private void postpone(GatewayAttempt attempt, String why) throws SQLException {
        if (attempt.isAlarming()) {
            LOG.errorf(
                    "payment %s is %s since %d attempts: %s",
                    id(attempt), attempt.payment().status(), attempt.number(), why);
        }
        payments.postpone(attempt, attempt.pause(ThreadLocalRandom.current().nextDouble()), why);
    }

    private static Object id(GatewayAttempt attempt) {
        return attempt.payment().orderId();
    }

    private void count(String outcome) {
        metrics.counter("orderly.gateway.requests", "outcome", outcome).increment();
    }
}
