package dev.orderly.payment;

import static io.quarkus.scheduler.Scheduled.ConcurrentExecution.SKIP;

import dev.orderly.database.DatabaseMigration;
import dev.orderly.http.Capacity;
import dev.orderly.payment.GatewayResult.ProtocolViolation;
import dev.orderly.tracing.LogFields;
import dev.orderly.tracing.Tracing;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.trace.SpanKind;
import io.quarkus.runtime.ShutdownEvent;
import io.quarkus.scheduler.Scheduled;
import io.smallrye.faulttolerance.api.CircuitBreakerMaintenance;
import io.smallrye.faulttolerance.api.CircuitBreakerState;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import jakarta.enterprise.event.TransactionPhase;
import java.io.IOException;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.eclipse.microprofile.faulttolerance.exceptions.CircuitBreakerOpenException;
import org.eclipse.microprofile.faulttolerance.exceptions.FaultToleranceException;
import org.jboss.logging.Logger;

/**
 * Calls the payment gateway for every open payment until that is settled ({@link GatewayAttempt}). The only
 * layer that retries a request: within a retry budget, so that a gateway that recovers is not flooded, and
 * not at all while the circuit is open.
 *
 * <p>Always after a commit and never inside a transaction: a claim is a lease that is committed first, the
 * gateway may take its time, and its response is handled in a transaction of its own ({@link
 * GatewayResultHandler}). If the instance dies in between, the call was made or not; the instance that claims
 * the payment after the lease calls again, and the gateway knows the payment by its id.
 */
@ApplicationScoped
class GatewayDispatcher {

    private static final Logger LOG = Logger.getLogger(GatewayDispatcher.class);

    private static final int MAX_CONCURRENT_CALLS = 20;

    /** The retry budget: calls for payments that were attempted before. */
    private static final int MAX_RETRIES_PER_SECOND = 20;

    /** A wait for a connection to the database (acquisition-timeout) and one transaction (of its role). */
    private static final Duration MAX_TRANSACTION = Duration.ofSeconds(3 + 20);

    /** Longer than two requests and a transaction take, so that no other instance calls concurrently. */
    static final Duration LEASE = Duration.ofMillis(2 * GatewayClient.MAX_REQUEST_MILLIS)
            .plus(MAX_TRANSACTION)
            .plusSeconds(6);

    private static final AttributeKey<Long> ATTEMPT = AttributeKey.longKey("orderly.attempt");

    private static final Duration SHUTDOWN_TIMEOUT = Duration.ofSeconds(2);

    /** One poll runs and at most one is queued: what a third would find, the queued one finds. */
    private final ThreadPoolExecutor poller = new ThreadPoolExecutor(
            1,
            1,
            0,
            TimeUnit.SECONDS,
            new ArrayBlockingQueue<>(1),
            Thread.ofPlatform().name("gateway-dispatcher").daemon().factory(),
            new ThreadPoolExecutor.DiscardPolicy());

    private final ExecutorService calls = Executors.newVirtualThreadPerTaskExecutor();
    private final Semaphore permits = new Semaphore(MAX_CONCURRENT_CALLS);
    private final AtomicInteger retryBudget = new AtomicInteger(MAX_RETRIES_PER_SECOND);

    private final Payments payments;
    private final GatewayClient gateway;
    private final GatewayResultHandler results;
    private final CircuitBreakerMaintenance circuits;
    private final Tracing tracing;
    private final MeterRegistry metrics;

    GatewayDispatcher(
            Payments payments,
            GatewayClient gateway,
            GatewayResultHandler results,
            CircuitBreakerMaintenance circuits,
            Tracing tracing,
            MeterRegistry metrics) {
        this.payments = payments;
        this.gateway = gateway;
        this.results = results;
        this.circuits = circuits;
        this.tracing = tracing;
        this.metrics = metrics;
        Capacity.register(
                metrics, "gateway-calls", () -> 1 - (double) permits.availablePermits() / MAX_CONCURRENT_CALLS);
        Gauge.builder(
                        "orderly.gateway.circuit.open",
                        circuits,
                        breakers -> breakers.currentState(GatewayClient.CIRCUIT) == CircuitBreakerState.CLOSED ? 0 : 1)
                .description("1 while requests to the payment gateway are not made, or are probes")
                .register(metrics);
    }

    void wake(@Observes(during = TransactionPhase.AFTER_SUCCESS) Payments.CallsDue due) {
        wake();
    }

    @Scheduled(every = "1s", concurrentExecution = SKIP, skipExecutionIf = DatabaseMigration.class)
    void tick() {
        retryBudget.set(MAX_RETRIES_PER_SECOND);
        wake();
    }

    private void wake() {
        poller.execute(this::poll);
    }

    void stop(@Observes ShutdownEvent event) throws InterruptedException {
        poller.shutdown();
        poller.awaitTermination(SHUTDOWN_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
        calls.shutdown();
        if (!calls.awaitTermination(SHUTDOWN_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS)) {
            calls.shutdownNow();
            LOG.warnf("calls to the gateway were interrupted; they are repeated in %d s", LEASE.toSeconds());
        }
    }

    private void poll() {
        try {
            var capacity = capacity();
            while (capacity > 0 && !poller.isShutdown()) {
                var attempts = payments.claim(capacity, retryBudget.get(), LEASE);
                for (var attempt : attempts) {
                    if (attempt.number() > 1) {
                        retryBudget.decrementAndGet();
                    }
                    permits.acquire(); // Never waits: this thread alone acquires.
                    calls.execute(() -> {
                        var admitted = true;
                        try {
                            admitted = call(attempt);
                        } finally {
                            permits.release();
                            if (admitted) {
                                wake(); // There is capacity for what the last poll had to leave.
                            }
                        }
                    });
                }
                // One claim of probes a poll: what the circuit rejects would be claimed again at once.
                capacity = attempts.size() < capacity || circuit() == CircuitBreakerState.HALF_OPEN ? 0 : capacity();
            }
        } catch (SQLException e) {
            LOG.warnf("polling for open payments failed, retrying in 1 s: %s", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private int capacity() {
        return switch (circuit()) {
            case CLOSED -> permits.availablePermits();
            case HALF_OPEN ->
                Math.max(0, GatewayClient.MAX_PROBES - (MAX_CONCURRENT_CALLS - permits.availablePermits()));
            case OPEN -> 0;
        };
    }

    private CircuitBreakerState circuit() {
        return circuits.currentState(GatewayClient.CIRCUIT);
    }

    /** False when the circuit has rejected the call. */
    private boolean call(GatewayAttempt attempt) {
        LogFields.set(orderId(attempt), null, attempt.traceparent());
        var span = tracing.start(spanName(attempt), SpanKind.CLIENT, attempt.traceparent())
                .setAttribute(Tracing.ORDER_ID, orderId(attempt).toString())
                .setAttribute(ATTEMPT, (long) attempt.number());
        try {
            try {
                count(handle(attempt, request(attempt)));
            } catch (CircuitBreakerOpenException e) {
                Tracing.fail(span, e);
                giveBack(attempt);
                return false;
            } catch (IOException | FaultToleranceException | ProtocolViolation e) {
                Tracing.fail(span, e);
                count("failed");
                postpone(attempt, e.toString());
            }
        } catch (SQLException | RuntimeException e) {
            // The lease expires, and the payment is claimed again.
            Tracing.fail(span, e);
            LOG.warnf("payment %s is attempted again in %d s: %s", orderId(attempt), LEASE.toSeconds(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            span.end();
        }
        return true;
    }

    /** The outcome of the request. */
    private String handle(GatewayAttempt attempt, GatewayResult result) throws SQLException {
        return switch (results.handle(result)) {
            case APPLIED -> "applied";
            // Unless a callback was first: then the payment has changed, and there is nothing to postpone.
            case NO_CHANGE -> postpone(attempt, "the gateway is still processing it") ? "pending" : "no_change";
            case PAYMENT_MISMATCH -> {
                postpone(attempt, "the gateway reports another amount or merchant");
                yield "payment_mismatch";
            }
            case UNKNOWN_PAYMENT, ID_REUSED ->
                throw new IllegalStateException("not a result of a request for a stored payment");
        };
    }

    private static String spanName(GatewayAttempt attempt) {
        return switch (attempt.payment().status()) {
            case REQUESTED -> "capture payment";
            case CANCELLING -> "cancel payment";
            case REFUNDING -> "refund payment";
            case EXPECTED, CAPTURED, DECLINED, VOID, REFUNDED -> "payment";
        };
    }

    /** A retry first queries the payment: an earlier attempt may have succeeded without a response. */
    private GatewayResult request(GatewayAttempt attempt) throws IOException, InterruptedException, ProtocolViolation {
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

    /** False when the payment has changed: then there is no next attempt of this. */
    private boolean postpone(GatewayAttempt attempt, String why) throws SQLException {
        var backoff = attempt.backoff(ThreadLocalRandom.current().nextDouble());
        var postponed = payments.postpone(attempt, backoff, why);
        if (postponed && attempt.needsAlert()) {
            LOG.errorf(
                    "payment %s is still %s after %d attempts: %s",
                    orderId(attempt), attempt.payment().status(), attempt.number(), why);
        }
        return postponed;
    }

    /** What was not requested is no attempt, and costs none of the retry budget. */
    private void giveBack(GatewayAttempt attempt) throws SQLException {
        if (attempt.number() > 1) {
            retryBudget.incrementAndGet();
        }
        payments.giveBack(attempt);
    }

    private static UUID orderId(GatewayAttempt attempt) {
        return attempt.payment().orderId();
    }

    private void count(String outcome) {
        metrics.counter("orderly.gateway.requests", "outcome", outcome).increment();
    }
}
