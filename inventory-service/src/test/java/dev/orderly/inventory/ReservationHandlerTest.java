package dev.orderly.inventory;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.orderly.database.DeferredWrites;
import dev.orderly.database.UuidV7;
import dev.orderly.events.EventHeaders;
import dev.orderly.events.EventJson;
import dev.orderly.events.OrderEvent;
import dev.orderly.events.OrderEvent.Line;
import dev.orderly.events.OrderEvent.StockRejected;
import dev.orderly.events.OrderEvent.StockReserved;
import dev.orderly.inventory.Reservation.NotReserved;
import dev.orderly.inventory.Reservation.Status;
import dev.orderly.messaging.IncomingEvent;
import dev.orderly.testing.EventSamples;
import dev.orderly.testing.OrderTopic;
import io.quarkus.narayana.jta.QuarkusTransaction;
import io.quarkus.test.junit.QuarkusTest;
import jakarta.inject.Inject;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.stream.Stream;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.record.TimestampType;
import org.junit.jupiter.api.Test;

@QuarkusTest
class ReservationHandlerTest extends IntegrationTest {

    @Inject
    ReservationHandler handler;

    @Inject
    Reservations reservations;

    @Inject
    DeferredWrites writes;

    private final UUID order = UuidV7.next();

    @Test
    void it_reads_the_types_that_change_something() {
        EventSamples.assertReactsToWhatChangesSomething(handler, EventSamples.ORDER_EVENTS, this::changesSomething);
    }

    private boolean changesSomething(OrderEvent event) {
        QuarkusTransaction.begin();
        try {
            handler.on(List.of(new IncomingEvent<>(event, UUID.randomUUID(), "order-service", 1, null, 0, 0)));
            writes.flush();
            return !reservations.lock(Set.of(event.id())).isEmpty();
        } catch (NotReserved _) {
            return true;
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        } finally {
            QuarkusTransaction.rollback();
        }
    }

    @Test
    void a_placed_order_has_all_its_lines_reserved() throws SQLException {
        var mug = skuWith(10);
        var pen = skuWith(1);

        publish(placed(order, line(mug, 2), line(pen, 1), line(mug, 3)));

        assertThat(stock(mug)).isEqualTo(new Stock(mug, 5, 5, 0));
        assertThat(stock(pen)).isEqualTo(new Stock(pen, 0, 1, 0));
        assertThat(published(order)).containsExactly("StockReserved 1");
        assertThat(read(StockReserved.class, payloads(order).getFirst())).satisfies(reserved -> {
            assertThat(reserved.id()).isEqualTo(order);
            assertThat(reserved.customerId()).isEqualTo(CUSTOMER);
            assertThat(reserved.total()).isEqualTo(TOTAL);
        });
    }

    @Test
    void when_any_line_is_short_or_unknown_nothing_is_reserved() throws SQLException {
        var mug = skuWith(10);
        var pen = skuWith(2);
        var unicorn = randomSku();

        publish(placed(order, line(mug, 1), line(pen, 1), line(unicorn, 1), line(pen, 2)));

        assertThat(stock(mug)).isEqualTo(new Stock(mug, 10, 0, 0));
        assertThat(stock(pen)).isEqualTo(new Stock(pen, 2, 0, 0));
        assertThat(published(order)).containsExactly("StockRejected 1");
        assertThat(read(StockRejected.class, payloads(order).getFirst()).outOfStock())
                .containsExactly(pen, unicorn);
        // The rejection that order-service publishes in response changes nothing here.
        publish(rejected(order));
        assertThat(published(order)).hasSize(1);
        assertThat(parked(order)).isEmpty();
    }

    @Test
    void a_confirmed_order_has_its_stock_sold_once_however_often_that_is_delivered() throws SQLException {
        var sku = skuWith(10);
        publish(placed(order, line(sku, 3)));

        var confirmation = record(confirmed(order));
        publish(List.of(confirmation, confirmation, record(confirmed(order))));
        publish(List.of(confirmation));

        assertThat(stock(sku)).isEqualTo(new Stock(sku, 7, 0, 3));
        assertThat(published(order)).containsExactly("StockReserved 1");
        assertThat(parked(order)).isEmpty();
    }

    @Test
    void a_cancelled_order_gives_its_stock_back() throws SQLException {
        var sku = skuWith(10);
        publish(placed(order, line(sku, 3)));

        publish(cancelled(order), cancelled(order));

        assertThat(stock(sku)).isEqualTo(new Stock(sku, 10, 0, 0));
        assertThat(published(order)).containsExactly("StockReserved 1");
    }

    @Test
    void an_order_that_is_not_paid_gives_its_stock_back() {
        var sku = skuWith(10);
        publish(placed(order, line(sku, 3)));

        publish(rejected(order));

        assertThat(stock(sku)).isEqualTo(new Stock(sku, 10, 0, 0));
    }

    @Test
    void a_cancellation_that_arrives_before_its_order_waits_for_it_and_nothing_stays_reserved() throws SQLException {
        var sku = skuWith(10);
        publish(cancelled(order));
        assertThat(parked(order)).containsExactly("OrderCancelled GAP");

        publish(placed(order, line(sku, 3)));

        await().untilAsserted(() -> assertThat(parked(order)).isEmpty());
        assertThat(stock(sku)).isEqualTo(new Stock(sku, 10, 0, 0));
        assertThat(published(order)).containsExactly("StockReserved 1");
    }

    @Test
    void one_batch_may_hold_whole_orders_and_what_one_releases_the_next_can_reserve() throws SQLException {
        var sku = skuWith(5);
        var next = UuidV7.next();

        handler.receive(batch(List.of(
                record(placed(order, line(sku, 5))),
                record(cancelled(order)),
                record(placed(next, line(sku, 4))),
                record(confirmed(next)))));

        assertThat(stock(sku)).isEqualTo(new Stock(sku, 1, 0, 4));
        assertThat(published(order)).containsExactly("StockReserved 1");
        assertThat(published(next)).containsExactly("StockReserved 1");
    }

    @Test
    void an_order_is_reserved_once_however_often_it_is_delivered() throws SQLException {
        var sku = skuWith(10);
        var placed = record(placed(order, line(sku, 3)));
        var sameUnderAnotherId = record(placed(order, line(sku, 3)));

        publish(List.of(placed, placed, placed, sameUnderAnotherId));
        publish(List.of(placed, sameUnderAnotherId));

        assertThat(stock(sku)).isEqualTo(new Stock(sku, 7, 3, 0));
        assertThat(published(order)).containsExactly("StockReserved 1");
    }

    @Test
    void a_confirmation_without_a_reservation_is_parked_and_other_orders_flow() throws SQLException {
        var sku = skuWith(10);
        var given = UuidV7.next();
        var another = UuidV7.next();
        publish(placed(given, line(sku, 1)));
        publish(cancelled(given));

        publish(List.of(
                OrderTopic.record("order-service", 3, confirmed(given)), record(placed(another, line(sku, 2)))));

        assertThat(parked(given)).containsExactly("OrderConfirmed FAILED");
        assertThat(sql().strings("SELECT detail FROM parked_event WHERE key = ?", given.toString()))
                .singleElement()
                .asString()
                .contains("NotReserved", given.toString(), "RELEASED");
        assertThat(stock(sku)).isEqualTo(new Stock(sku, 8, 2, 0));
        assertThat(published(another)).containsExactly("StockReserved 1");
    }

    @Test
    void irrelevant_events_are_skipped() throws SQLException {
        var sku = skuWith(10);
        var ofTheFuture = OrderTopic.header(
                OrderTopic.with(record(cancelled(order)), order.toString(), "not even JSON".getBytes(UTF_8)),
                EventHeaders.TYPE,
                "OrderTeleported");

        publish(List.of(
                record(placed(order, line(sku, 3))),
                OrderTopic.record("inventory-service", 1, new StockRejected(order, List.of(sku), Instant.now())),
                ofTheFuture));

        assertThat(published(order)).containsExactly("StockReserved 1");
        assertThat(parked(order)).isEmpty();
    }

    @Test
    void a_malformed_event_is_parked_with_later_ones_of_its_order_and_other_orders_flow() throws SQLException {
        var sku = skuWith(10);
        var another = UuidV7.next();
        var malformed =
                OrderTopic.with(record(placed(order, line(sku, 1))), order.toString(), "{\"id\":42".getBytes(UTF_8));

        publish(List.of(malformed, record(cancelled(order)), record(placed(another, line(sku, 2)))));
        publish(cancelled(order));

        assertThat(parked(order))
                .containsExactly("OrderPlaced UNREADABLE", "OrderCancelled BEHIND", "OrderCancelled BEHIND");
        assertThat(published(another)).containsExactly("StockReserved 1");
        assertThat(stock(sku)).isEqualTo(new Stock(sku, 8, 2, 0));
    }

    @Test
    void an_event_that_the_database_rejects_is_parked_and_the_rest_of_its_batch_takes_effect_once()
            throws SQLException {
        var sku = skuWith(10);
        var before = UuidV7.next();
        var after = UuidV7.next();
        var rejected = placed(order, line("PostgreSQL has no \0 in its texts", 1));

        publish(placed(before, line(sku, 1)), rejected, placed(after, line(sku, 2)));

        assertThat(parked(order)).containsExactly("OrderPlaced FAILED");
        assertThat(published(before)).containsExactly("StockReserved 1");
        assertThat(published(after)).containsExactly("StockReserved 1");
        assertThat(stock(sku)).isEqualTo(new Stock(sku, 7, 3, 0));
    }

    @Test
    void a_reservation_that_a_concurrent_transaction_added_is_not_overwritten() {
        var sku = skuWith(10);
        publish(placed(order, line(sku, 3)));

        assertThatThrownBy(() -> QuarkusTransaction.requiringNew().call(() -> {
                    reservations.add(List.of(new Reservation(order, Status.RELEASED, List.of())));
                    writes.flush();
                    return null;
                }))
                .hasStackTraceContaining("reservation_pkey");
    }

    @Test
    void many_orders_for_the_last_pieces_get_those_and_no_more() throws SQLException {
        var sku = skuWith(100);
        var orders = Stream.generate(UuidV7::next).limit(300).toList();
        var records = new ArrayList<>(orders.stream()
                .map(each -> record(placed(each, line(sku, 1))))
                .toList());
        records.addAll(records);

        publish(records);

        assertThat(stock(sku)).isEqualTo(new Stock(sku, 0, 100, 0));
        var outcomes = new ArrayList<String>();
        for (var each : orders) {
            assertThat(published(each)).hasSize(1);
            outcomes.addAll(published(each));
        }
        assertThat(outcomes).containsOnly("StockReserved 1", "StockRejected 1");
        assertThat(outcomes).filteredOn("StockReserved 1"::equals).hasSize(100);
    }

    /**
     * Simulates instances with different partitions and, since every batch is received twice, an old and a
     * new owner of the same partition. The topic of a test has a single consumer.
     */
    @Test
    void instances_that_race_for_the_same_skus_never_oversell() throws Exception {
        var random = new Random(20261123);
        var skus = Stream.generate(() -> skuWith(200)).limit(5).toList();
        var orders = new ArrayList<UUID>();
        var batches = new ArrayList<ConsumerRecords<String, byte[]>>();
        for (var i = 0; i < 24; i++) {
            var records = new ArrayList<ProducerRecord<String, byte[]>>();
            for (var j = 0; j < 25; j++) {
                var each = UuidV7.next();
                orders.add(each);
                records.add(record(placed(each, someOf(skus, random))));
                if (random.nextInt(3) == 0) {
                    records.add(record(cancelled(each)));
                }
            }
            batches.addAll(List.of(batch(records), batch(records)));
        }

        inParallel(4, batches.stream().map(this::receiving).toList());

        for (var sku : skus) {
            assertThat(stock(sku)).satisfies(stock -> {
                assertThat(stock.available() + stock.reserved()).isEqualTo(200);
                assertThat(stock.reserved()).isPositive();
            });
        }
        var outcomes = new ArrayList<String>();
        for (var each : orders) {
            assertThat(published(each)).hasSize(1);
            outcomes.addAll(published(each));
            assertThat(parked(each)).isEmpty();
        }
        assertThat(outcomes).contains("StockReserved 1", "StockRejected 1");
    }

    @Test
    void restocking_while_orders_flow_loses_no_reservation() throws Exception {
        var sku = skuWith(1000);
        var work = new ArrayList<Callable<Object>>();
        for (var i = 0; i < 50; i++) {
            work.add(receiving(batch(List.of(record(placed(UuidV7.next(), line(sku, 2)))))));
            work.add(() -> restock(sku, 1000).statusCode(200));
        }

        inParallel(4, work);

        assertThat(stock(sku).reserved()).isEqualTo(100);
        assertThat(stock(sku).available()).isBetween(900L, 1000L);
    }

    private Callable<Object> receiving(ConsumerRecords<String, byte[]> records) {
        return () -> {
            handler.receive(records);
            return null;
        };
    }

    private static void inParallel(int threads, List<Callable<Object>> work) throws Exception {
        try (var pool = Executors.newFixedThreadPool(threads)) {
            for (var done : pool.invokeAll(work)) {
                done.get();
            }
        }
    }

    /** Lines of two or three SKUs in random order, so that orders need the same rows in any order. */
    private static Line[] someOf(List<String> skus, Random random) {
        var shuffled = new ArrayList<>(skus);
        Collections.shuffle(shuffled, random);
        return shuffled.stream()
                .limit(2 + random.nextInt(2))
                .map(sku -> line(sku, 1 + random.nextInt(3)))
                .toArray(Line[]::new);
    }

    /** The records as if returned by one poll of one partition. */
    private static ConsumerRecords<String, byte[]> batch(List<ProducerRecord<String, byte[]>> records) {
        var partition = new TopicPartition("order-service", 0);
        var polled = records.stream()
                .map(record -> new ConsumerRecord<>(
                        partition.topic(),
                        partition.partition(),
                        0,
                        0,
                        TimestampType.CREATE_TIME,
                        0,
                        0,
                        record.key(),
                        record.value(),
                        new RecordHeaders(record.headers()),
                        Optional.empty()))
                .toList();
        return new ConsumerRecords<>(Map.of(partition, polled), Map.of());
    }

    private static <E extends OrderEvent> E read(Class<E> type, String payload) {
        return EventJson.readValue(type, payload);
    }
}
