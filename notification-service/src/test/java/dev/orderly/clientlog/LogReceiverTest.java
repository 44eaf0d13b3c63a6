package dev.orderly.clientlog;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.orderly.clientlog.LogLine.Level;
import dev.orderly.clientlog.LogReceiver.AcceptedLine;
import dev.orderly.messaging.NonBlockingProducer;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.clients.producer.MockProducer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;

class LogReceiverTest {

    private static final int BYTES = 100_000;

    private final SimpleMeterRegistry metrics = new SimpleMeterRegistry();

    /** Acknowledges when it is told to. */
    @AutoClose
    private final MockProducer<String, byte[]> brokers =
            new MockProducer<>(false, null, new StringSerializer(), new ByteArraySerializer());

    private final LogReceiver receiver = new LogReceiver(new NonBlockingProducer("client-log", brokers), metrics);

    @Test
    void a_request_is_in_flight_until_its_last_line_is_acknowledged_although_its_client_has_hung_up() {
        var request = receiver.new Reservation(BYTES);
        var failed = new AtomicReference<Set<Integer>>();
        receiver.publish(request, List.of(line(1), line(2))).subscribe().with(failed::set);

        request.release();

        assertThat(bytesInFlight()).isEqualTo(BYTES);
        brokers.completeNext();
        assertThat(bytesInFlight()).isEqualTo(BYTES);
        brokers.errorNext(new IllegalStateException("not acknowledged"));
        assertThat(bytesInFlight()).isZero();
        assertThat(failed.get()).containsExactly(2);
    }

    @Test
    void a_request_whose_lines_are_acknowledged_is_in_flight_until_it_is_answered() {
        var request = receiver.new Reservation(BYTES);
        receiver.publish(request, List.of(line(1))).subscribe().with(_ -> {});

        brokers.completeNext();

        assertThat(bytesInFlight()).isEqualTo(BYTES);
        request.release();
        assertThat(bytesInFlight()).isZero();
    }

    @Test
    void lines_that_are_published_after_their_client_has_hung_up_are_in_flight() {
        var request = receiver.new Reservation(BYTES);
        request.release();

        receiver.publish(request, List.of(line(1))).subscribe().with(_ -> {});

        assertThat(bytesInFlight()).isEqualTo(BYTES);
        brokers.completeNext();
        assertThat(bytesInFlight()).isZero();
    }

    private double bytesInFlight() {
        return metrics.get("orderly.log.bytes.in.flight").gauge().value();
    }

    private static AcceptedLine line(int number) {
        return new AcceptedLine(
                number, new LogLine("any-client", Instant.EPOCH, Level.INFO, "any"), "{}".getBytes(UTF_8));
    }
}
