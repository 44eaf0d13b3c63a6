package dev.orderly.payment;

import static dev.orderly.payment.GatewayClientTest.payment;
import static io.smallrye.faulttolerance.api.CircuitBreakerState.CLOSED;
import static io.smallrye.faulttolerance.api.CircuitBreakerState.HALF_OPEN;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.orderly.payment.GatewayResultHandler.Effect;
import dev.orderly.payment.Payment.GatewayOutcome;
import dev.orderly.tracing.Tracing;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.smallrye.faulttolerance.api.CircuitBreakerMaintenance;
import io.smallrye.faulttolerance.api.CircuitBreakerState;
import jakarta.enterprise.inject.Vetoed;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.eclipse.microprofile.faulttolerance.exceptions.CircuitBreakerOpenException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What is claimed while the circuit is half open, and what becomes of an attempt. */
class GatewayDispatcherTest {

    private final Queue payments = new Queue();
    private final Gateway gateway = new Gateway();
    private final Results results = new Results();
    private final Circuit circuit = new Circuit();
    private final SimpleMeterRegistry metrics = new SimpleMeterRegistry();
    private final GatewayDispatcher dispatcher =
            new GatewayDispatcher(payments, gateway, results, circuit, Tracing.exportingTo(null, 0), metrics);

    @AfterEach
    void stop() throws InterruptedException {
        gateway.answers.countDown();
        dispatcher.stop(null);
        gateway.close();
    }

    @Test
    void a_half_open_circuit_gets_its_probes_and_the_backlog_waits_for_their_result() {
        circuit.state = HALF_OPEN;
        payments.due(100, 1);

        dispatcher.tick();
        await().until(() -> gateway.requests.get() == 2);
        var asked = circuit.asked.get();
        await().until(() -> {
            dispatcher.tick();
            return circuit.asked.get() > asked + 1; // once may be the end of the first poll
        });

        assertThat(payments.claims).containsExactly(new Claim(2, 20));
        circuit.state = CLOSED;
        gateway.answers.countDown();
        await().until(() -> gateway.requests.get() == 100);
    }

    @Test
    void what_the_circuit_rejects_is_given_back_uncounted_and_costs_no_retry() {
        circuit.state = HALF_OPEN;
        gateway.rejects = true;
        payments.due(10, 2);

        dispatcher.tick();
        await().until(() -> payments.givenBack.size() == 2);
        await().until(() -> {
            dispatcher.wake(new Payments.CallsDue());
            return payments.claims.size() > 1;
        });

        assertThat(payments.claims.get(1).maxRetries()).isEqualTo(20);
        assertThat(payments.postponed).isEmpty();
        assertThat(metrics.find("orderly.gateway.requests").counter()).isNull();
    }

    @ParameterizedTest
    @CsvSource(
            nullValues = "-",
            value = {
                "APPLIED, true, applied, -",
                "NO_CHANGE, true, pending, the gateway is still processing it",
                "NO_CHANGE, false, no_change, -",
                "PAYMENT_MISMATCH, true, payment_mismatch, the gateway reports another amount or merchant",
            })
    void a_result_is_counted_and_stored_as_what_it_is(Effect effect, boolean isOpen, String outcome, String error) {
        results.effect = effect;
        payments.isOpen = isOpen;
        gateway.answers.countDown();
        payments.due(1, 1);

        dispatcher.tick();

        await().until(() -> metrics.find("orderly.gateway.requests").counter() != null);
        assertThat(metrics.get("orderly.gateway.requests").counter().getId().getTag("outcome"))
                .isEqualTo(outcome);
        assertThat(payments.postponed).isEqualTo(error == null ? List.of() : List.of(error));
    }

    private record Claim(int max, int maxRetries) {}

    @Vetoed // no bean of the tests that start the service
    private static final class Queue extends Payments {

        private final List<GatewayAttempt> due = new CopyOnWriteArrayList<>();
        private final List<Claim> claims = new CopyOnWriteArrayList<>();
        private final List<GatewayAttempt> givenBack = new CopyOnWriteArrayList<>();
        private final List<String> postponed = new CopyOnWriteArrayList<>();
        private volatile boolean isOpen = true;

        private Queue() {
            super(null, null, null);
        }

        private void due(int payments, int attempt) {
            Stream.generate(() -> new GatewayAttempt(payment(), attempt, null))
                    .limit(payments)
                    .forEach(due::add);
        }

        @Override
        List<GatewayAttempt> claim(int max, int maxRetries, Duration lease) {
            claims.add(new Claim(max, maxRetries));
            var claimed = List.copyOf(due.subList(0, Math.min(max, due.size())));
            due.removeAll(claimed);
            return claimed;
        }

        @Override
        void giveBack(GatewayAttempt attempt) {
            givenBack.add(attempt);
        }

        @Override
        boolean postpone(GatewayAttempt attempt, Duration backoff, String error) {
            return isOpen && postponed.add(error);
        }
    }

    /** Answers when it is told to, or is behind a circuit that rejects. */
    @Vetoed // no bean of the tests that start the service
    private static final class Gateway extends GatewayClient {

        private final AtomicInteger requests = new AtomicInteger();
        private final CountDownLatch answers = new CountDownLatch(1);
        private volatile boolean rejects;

        private Gateway() {
            super("http://localhost", Optional.empty(), "orderly");
        }

        @Override
        Optional<GatewayResult> find(Payment payment) throws InterruptedException {
            return Optional.of(capture(payment));
        }

        @Override
        GatewayResult capture(Payment payment) throws InterruptedException {
            if (rejects) {
                throw new CircuitBreakerOpenException();
            }
            requests.incrementAndGet();
            answers.await();
            return new GatewayResult(
                    "orderly", payment.orderId(), payment.amount(), List.of(GatewayOutcome.CAPTURED), null);
        }
    }

    @Vetoed // no bean of the tests that start the service
    private static final class Results extends GatewayResultHandler {

        private volatile Effect effect = Effect.APPLIED;

        private Results() {
            super(null, null, null, null, null, null);
        }

        @Override
        Effect handle(GatewayResult result) {
            return effect;
        }
    }

    private static final class Circuit implements CircuitBreakerMaintenance {

        private final AtomicInteger asked = new AtomicInteger();
        private volatile CircuitBreakerState state = CLOSED;

        @Override
        public CircuitBreakerState currentState(String name) {
            asked.incrementAndGet();
            return state;
        }

        @Override
        public void onStateChange(String name, Consumer<CircuitBreakerState> callback) {}

        @Override
        public void reset(String name) {}

        @Override
        public void resetAll() {}
    }
}
