package dev.orderly.messaging;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;
import static org.awaitility.Awaitility.await;

import dev.orderly.events.EventHeaders;
import dev.orderly.events.Money;
import dev.orderly.events.OrderEvent.Line;
import dev.orderly.events.OrderEvent.OrderPlaced;
import dev.orderly.events.PaymentMethod;
import dev.orderly.events.Topic;
import dev.orderly.testing.OrderTopic;
import dev.orderly.testing.RecordGenerator;
import dev.orderly.testing.RecordGenerator.Part;
import dev.orderly.testing.RecordGenerator.Recipe;
import io.quarkus.scheduler.Scheduler;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import jakarta.inject.Inject;
import java.nio.charset.StandardCharsets;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * Thousands of records that no service would write, each third a valid one, through the consumer, the
 * auditor and the retries, on a real database. {@code -Dorderly.fuzz.seconds=600} goes on for as long, with
 * {@code -Dorderly.fuzz.seed} or a random one.
 */
@QuarkusTest
@TestProfile(IntegrationTest.Service.class)
class RecordFuzzTest extends IntegrationTest {

    private static final int BATCHES = 30;
    private static final int BATCH_SIZE = 100;
    private static final Duration MAX_TIME_OF_A_BATCH = Duration.ofSeconds(30);

    private static final String APPLIED = "APPLIED";
    private static final String SKIPPED = "SKIPPED";

    /** Partitions that the topic does not have, one for each batch, so that coordinates are unique. */
    private static final AtomicInteger PARTITIONS = new AtomicInteger(1_000_000);

    @Inject
    OutboxAuditor auditor;

    @Inject
    ParkedRetries retries;

    @Inject
    Scheduler scheduler;

    @BeforeEach
    void retry_only_here() {
        scheduler.pause();
    }

    @AfterEach
    void resume_the_scheduler() {
        scheduler.resume();
    }

    @Test
    void each_record_is_applied_parked_or_skipped_as_its_form_says_and_no_other_is_harmed() {
        var seconds = Long.getLong("orderly.fuzz.seconds", 0);
        long seed = Long.getLong("orderly.fuzz.seed", seconds == 0 ? 1 : System.nanoTime());
        var generator = new RecordGenerator(seed);
        var end = Instant.now().plusSeconds(seconds);

        for (var i = 0; i < BATCHES || Instant.now().isBefore(end); i++) {
            var batch = generator.batch(BATCH_SIZE);
            var problem = problem(batch);
            if (!problem.isEmpty()) {
                var simplest = RecordGenerator.shrink(
                        batch, smaller -> !problem(smaller).isEmpty());
                fail("seed %d, batch %d: %s%n%s".formatted(seed, i, problem(simplest), simplest));
            }
        }
    }

    @Test
    void what_is_parked_of_such_records_is_retried_without_harm_to_other_orders() throws SQLException {
        var order = UUID.randomUUID();
        handler.rejected.add(order);
        assertThat(problem(new RecordGenerator(2).batch(BATCH_SIZE))).isEmpty();
        publish(List.of(placed(order)));
        assertThat(parked(order)).containsExactly("OrderPlaced FAILED");

        handler.rejected.remove(order);

        await().untilAsserted(() -> {
            retries.retryDue();
            assertThat(effects(order)).containsExactly("OrderPlaced");
        });
    }

    /** What is wrong after a batch of new records by these recipes; empty if nothing is. */
    private String problem(List<Recipe> recipes) {
        var partition = new TopicPartition(Topic.ORDERS.topicName(), PARTITIONS.incrementAndGet());
        var records = new ArrayList<ConsumerRecord<String, byte[]>>();
        var orders = new ArrayList<UUID>();
        var expected = new HashMap<UUID, String>();
        for (var recipe : recipes) {
            var order = UUID.randomUUID();
            var valid = OrderTopic.record(
                    "order-service",
                    1,
                    new OrderPlaced(
                            order,
                            UUID.randomUUID(),
                            List.of(new Line("mug", 1, Money.of(1, "EUR"))),
                            Money.of(1, "EUR"),
                            PaymentMethod.BALANCE,
                            null,
                            null,
                            Instant.parse("2026-11-23T10:15:30.123Z")));
            var value = valid.value();
            var record = RecordGenerator.make(recipe, valid, partition, records.size());
            records.add(record);
            orders.add(order);
            var outcome = Form.outcome(record, order, value);
            // A field is for the handler and the database to judge, and by the key of another order it
            // matters what has happened to that.
            if (!recipe.changes(Part.FIELD) && !(recipe.changes(Part.KEY) && Form.isUuid(record.key()))) {
                expected.put(order, outcome);
            }
        }
        try (var thread = Executors.newSingleThreadExecutor()) {
            var consumed = thread.submit(() -> {
                handler.consume(records);
                auditor.receive(new ConsumerRecords<>(Map.of(partition, records), Map.of()));
            });
            try {
                consumed.get(MAX_TIME_OF_A_BATCH.toSeconds(), SECONDS);
            } catch (TimeoutException e) {
                consumed.cancel(true);
                return "does not end";
            }
            return differences(expected, outcomes(partition.partition(), orders));
        } catch (ExecutionException e) {
            return "stops the consumer: " + e.getCause();
        } catch (InterruptedException | SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    private static String differences(Map<UUID, String> expected, Map<UUID, String> actual) {
        return expected.entrySet().stream()
                .filter(outcome -> !outcome.getValue().equals(actual.get(outcome.getKey())))
                .map(outcome -> "expected " + outcome.getValue() + ", was " + actual.get(outcome.getKey()))
                .collect(Collectors.joining("; "));
    }

    private Map<UUID, String> outcomes(int partition, List<UUID> orders) throws SQLException {
        var outcomes = new HashMap<UUID, String>();
        orders.forEach(order -> outcomes.put(order, SKIPPED));
        for (var order : sql().strings(
                        "SELECT order_id FROM effect WHERE order_id = ANY (?)", (Object) orders.toArray(UUID[]::new))) {
            outcomes.merge(UUID.fromString(order), APPLIED, (before, now) -> before.equals(SKIPPED) ? now : "TWICE");
        }
        for (var parked :
                sql().strings("SELECT \"offset\" || ' ' || reason FROM parked_event WHERE partition = ?", partition)) {
            var columns = parked.split(" ");
            outcomes.merge(
                    orders.get(Integer.parseInt(columns[0])),
                    columns[1],
                    (before, now) -> before.equals(SKIPPED) ? now : before + " AND " + now);
        }
        return outcomes;
    }

    /** Says again what docs/reference/messages.md says of keys, values and headers. */
    private static final class Form {

        private static final Set<String> REACTS_TO =
                Set.of("OrderPlaced", "OrderConfirmed", "OrderRejected", "OrderCancelled");
        private static final Set<String> OF_OTHERS = Set.of(
                "StockReserved",
                "StockRejected",
                "PaymentCaptured",
                "PaymentDeclined",
                "PaymentRefunded",
                "CustomerRegistered",
                "CodeRequested",
                "CustomerVerified",
                "CustomerErased");

        /** The generator gives some ids more than once. */
        private static final Set<UUID> SEEN = new HashSet<>();

        static String outcome(ConsumerRecord<String, byte[]> record, UUID order, byte[] validValue) {
            var type = header(record, EventHeaders.TYPE);
            if (OF_OTHERS.contains(type)) {
                return SKIPPED;
            }
            var known = REACTS_TO.contains(type);
            var source = header(record, EventHeaders.SOURCE);
            if (!isUuid(header(record, EventHeaders.ID))
                    || isOfTheFuture(record)
                    || !source.matches("[a-z0-9-]{1,64}")
                    || !isPositive(header(record, EventHeaders.VERSION))) {
                return known ? "UNREADABLE" : SKIPPED;
            }
            var seesAll = source.equals("order-service");
            var gap = seesAll && Integer.parseInt(header(record, EventHeaders.VERSION)) > 1;
            if (!known) {
                return seesAll && isUuid(record.key()) && isNew(record) && gap ? "GAP" : SKIPPED;
            }
            var schema = header(record, EventHeaders.SCHEMA);
            if (!isPositive(schema)) {
                return "UNREADABLE";
            }
            var newer = Integer.parseInt(schema) > 2;
            var readable = newer
                    ? isUuid(record.key())
                    : type.equals("OrderPlaced")
                            && order.toString().equals(record.key())
                            && Arrays.equals(record.value(), validValue);
            if (!readable) {
                return "UNREADABLE";
            }
            if (!isNew(record)) {
                return SKIPPED;
            }
            return gap ? "GAP" : newer ? "NEWER_SCHEMA" : APPLIED;
        }

        /** By more than a day; a UUIDv7 begins with its time. */
        private static boolean isOfTheFuture(ConsumerRecord<String, byte[]> record) {
            var id = UUID.fromString(header(record, EventHeaders.ID));
            return id.version() == 7
                    && id.getMostSignificantBits() >>> 16
                            > record.timestamp() + Duration.ofDays(1).toMillis();
        }

        private static boolean isNew(ConsumerRecord<String, byte[]> record) {
            return SEEN.add(UUID.fromString(header(record, EventHeaders.ID)));
        }

        private static String header(ConsumerRecord<String, byte[]> record, String name) {
            var header = record.headers().lastHeader(name);
            return header == null || header.value() == null ? "" : new String(header.value(), StandardCharsets.UTF_8);
        }

        private static boolean isUuid(String text) {
            try {
                UUID.fromString(String.valueOf(text));
                return true;
            } catch (IllegalArgumentException _) {
                return false;
            }
        }

        private static boolean isPositive(String number) {
            return number.matches("[0-9]{1,10}")
                    && Long.parseLong(number) >= 1
                    && Long.parseLong(number) <= Integer.MAX_VALUE;
        }
    }
}
