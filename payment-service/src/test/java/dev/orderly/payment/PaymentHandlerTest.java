package dev.orderly.payment;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.hamcrest.Matchers.equalTo;
import static org.hamcrest.Matchers.nullValue;

import dev.orderly.database.DeferredWrites;
import dev.orderly.database.UuidV7;
import dev.orderly.events.EventHeaders;
import dev.orderly.events.Money;
import dev.orderly.events.OrderEvent;
import dev.orderly.events.OrderEvent.OrderCancelled;
import dev.orderly.events.OrderEvent.OrderRejected;
import dev.orderly.messaging.EventHandler;
import dev.orderly.messaging.IncomingEvent;
import dev.orderly.testing.EventFuzz;
import dev.orderly.testing.EventSamples;
import dev.orderly.testing.OrderTopic;
import io.quarkus.arc.All;
import io.quarkus.narayana.jta.QuarkusTransaction;
import io.quarkus.test.junit.QuarkusTest;
import jakarta.inject.Inject;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.Executors;
import java.util.stream.Stream;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.junit.jupiter.api.Test;

@QuarkusTest
class PaymentHandlerTest extends IntegrationTest {

    @Inject
    @All
    List<EventHandler<?>> handlers;

    @Inject
    PaymentHandler handler;

    @Inject
    Payments payments;

    @Inject
    DeferredWrites writes;

    private final UUID order = UuidV7.next();

    @Test
    void no_number_and_no_text_in_an_event_stops_a_handler() throws SQLException {
        EventFuzz.assertThatNoEventStops(handlers, sql());
    }

    @Test
    void it_reads_the_types_that_change_something() {
        EventSamples.assertReactsToWhatChangesSomething(handler, EventSamples.ORDER_EVENTS, this::changesSomething);
    }

    private boolean changesSomething(OrderEvent event) {
        QuarkusTransaction.begin();
        try {
            handler.on(List.of(new IncomingEvent<>(event, UUID.randomUUID(), "order-service", 1, null, 0, 0)));
            writes.flush();
            return payments.find(event.id()).isPresent();
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        } finally {
            QuarkusTransaction.rollback();
        }
    }

    @Test
    void an_order_is_paid_from_the_balance() throws SQLException {
        var customer = customerWith(5000);

        publish(reserved(order, customer, 3998));

        payment(order)
                .statusCode(200)
                .body("orderId", equalTo(order.toString()))
                .body("customerId", equalTo(customer.toString()))
                .body("status", equalTo("CAPTURED"))
                .body("amount.amount", equalTo(3998))
                .body("amount.currency", equalTo("EUR"))
                .body("reason", nullValue());
        assertThat(balance(customer)).isEqualTo(1002);
        assertThat(published(order)).containsExactly("PaymentCaptured 1");
        assertThat(sql().strings("SELECT payload FROM outbox WHERE key = ?", order.toString()))
                .singleElement()
                .asString()
                .contains("\"status\":\"PAID\"", "\"amount\":{\"amount\":3998,\"currency\":\"EUR\"}");
        account(customer)
                .body("entries[0].kind", equalTo("CAPTURE"))
                .body("entries[0].amount", equalTo(-3998))
                .body("entries[0].orderId", equalTo(order.toString()));
    }

    @Test
    void an_order_is_declined_when_the_balance_is_short() throws SQLException {
        var customer = customerWith(3997);

        publish(reserved(order, customer, 3998));

        payment(order).body("status", equalTo("DECLINED")).body("reason", equalTo("insufficient balance"));
        assertThat(balance(customer)).isEqualTo(3997);
        assertThat(published(order)).containsExactly("PaymentDeclined 1");
    }

    @Test
    void an_order_is_declined_without_an_account_in_its_currency() throws SQLException {
        var customer = customerWith(5000);
        var stranger = UUID.randomUUID();
        var another = UuidV7.next();

        publish(reserved(order, customer, Money.of(1, "USD")), reserved(another, stranger, 1));

        payment(order).body("status", equalTo("DECLINED")).body("reason", equalTo("no account in USD"));
        payment(another).body("status", equalTo("DECLINED")).body("reason", equalTo("no account in EUR"));
        account(stranger).statusCode(404);
        assertThat(published(another)).containsExactly("PaymentDeclined 1");
    }

    @Test
    void a_total_of_zero_is_paid_without_an_account() throws SQLException {
        publish(reserved(order, UUID.randomUUID(), 0));

        assertThat(paymentStatus(order)).isEqualTo("CAPTURED");
        assertThat(published(order)).containsExactly("PaymentCaptured 1");
    }

    @Test
    void an_order_is_captured_once_however_often_it_is_delivered() throws SQLException {
        var customer = customerWith(5000);
        var reserved = record(reserved(order, customer, 1000));
        var sameUnderAnotherId = record(reserved(order, customer, 1000));

        publish(List.of(reserved, reserved, reserved, sameUnderAnotherId));
        publish(List.of(reserved, sameUnderAnotherId));

        assertThat(balance(customer)).isEqualTo(4000);
        assertThat(published(order)).containsExactly("PaymentCaptured 1");
        assertThat(parked(order.toString())).isEmpty();
    }

    @Test
    void a_balance_that_suffices_for_some_orders_pays_those_and_no_more() throws SQLException {
        var customer = customerWith(100);
        var orders = Stream.generate(UuidV7::next).limit(5).toList();

        publish(orders.stream()
                .map(each -> record(reserved(each, customer, 30)))
                .toList());

        assertThat(orders.stream().map(IntegrationTest::paymentStatus))
                .containsOnly("CAPTURED", "DECLINED")
                .filteredOn("CAPTURED"::equals)
                .hasSize(3);
        assertThat(balance(customer)).isEqualTo(10);
        for (var each : orders) {
            assertThat(published(each))
                    .containsExactly(
                            paymentStatus(each).equals("CAPTURED") ? "PaymentCaptured 1" : "PaymentDeclined 1");
        }
    }

    @Test
    void many_orders_of_many_customers_with_duplicates_and_cancellations_leave_the_ledger_balanced()
            throws SQLException {
        var customers = Stream.generate(() -> customerWith(10_000)).limit(5).toList();
        var orders = Stream.generate(UuidV7::next).limit(300).toList();
        var reservations = new ArrayList<ProducerRecord<String, byte[]>>();
        var cancellations = new ArrayList<ProducerRecord<String, byte[]>>();
        for (var i = 0; i < orders.size(); i++) {
            var customer = customers.get(i % customers.size());
            reservations.add(record(reserved(orders.get(i), customer, price(i))));
            if (i % 3 == 0) {
                cancellations.add(record(cancelled(orders.get(i), customer)));
            }
        }
        var records = new ArrayList<>(reservations);
        records.addAll(reservations);
        records.addAll(cancellations);
        Collections.shuffle(records);

        publish(records);

        var statuses = new HashMap<UUID, String>();
        var ids = (Object) orders.toArray(UUID[]::new);
        for (var row : sql().strings("SELECT order_id || ' ' || status FROM payment WHERE order_id = ANY (?)", ids)) {
            var words = row.split(" ");
            statuses.put(UUID.fromString(words[0]), words[1]);
        }
        assertThat(statuses).containsOnlyKeys(orders);
        for (var c = 0; c < customers.size(); c++) {
            var spent = 0;
            for (var i = c; i < orders.size(); i += customers.size()) {
                spent += statuses.get(orders.get(i)).equals("CAPTURED") ? price(i) : 0;
            }
            assertThat(balance(customers.get(c))).isEqualTo(10_000 - spent);
        }
        for (var i = 0; i < orders.size(); i += 3) {
            assertThat(statuses.get(orders.get(i))).isIn("REFUNDED", "DECLINED", "VOID");
        }
        assertThat(statuses).containsValues("CAPTURED", "REFUNDED", "DECLINED", "VOID");
    }

    private static int price(int order) {
        return 100 + order;
    }

    @Test
    void deposits_while_orders_are_paid_lose_nothing() throws Exception {
        var customer = customerWith(1000);
        var orders = Stream.generate(UuidV7::next).limit(100).toList();

        try (var other = Executors.newSingleThreadExecutor()) {
            var payments = other.submit(() -> {
                for (var each : orders) {
                    send(List.of(record(reserved(each, customer, 10))));
                }
            });
            inParallel(100, () -> deposit(customer, 1).statusCode(201));
            payments.get();
        }
        awaitConsumed();

        assertThat(balance(customer)).isEqualTo(1000 - 100 * 10 + 100);
    }

    @Test
    void a_cancelled_order_is_refunded() throws SQLException {
        var customer = customerWith(5000);
        publish(reserved(order, customer, 3998));

        publish(cancelled(order, customer));

        payment(order)
                .body("status", equalTo("REFUNDED"))
                .body("amount.amount", equalTo(3998))
                .body("reason", equalTo("changed my mind"));
        assertThat(balance(customer)).isEqualTo(5000);
        assertThat(published(order)).containsExactly("PaymentCaptured 1", "PaymentRefunded 2");
        account(customer).body("entries.kind", equalTo(List.of("REFUND", "CAPTURE", "DEPOSIT")));
    }

    @Test
    void a_cancellation_in_the_same_batch_is_refunded_and_the_refund_pays_the_next_order() throws SQLException {
        var customer = customerWith(100);
        var cancellation = record(cancelled(order, customer));

        publish(List.of(record(reserved(order, customer, 100)), cancellation, cancellation));
        publish(reserved(UuidV7.next(), customer, 100));

        assertThat(published(order)).containsExactly("PaymentCaptured 1", "PaymentRefunded 2");
        assertThat(paymentStatus(order)).isEqualTo("REFUNDED");
        assertThat(balance(customer)).isZero();
    }

    @Test
    void an_order_that_was_cancelled_before_its_stock_was_reserved_is_never_captured() throws SQLException {
        var customer = customerWith(5000);
        publish(cancelled(order, customer));

        payment(order).body("status", equalTo("VOID")).body("amount", nullValue());
        publish(reserved(order, customer, 100));

        assertThat(paymentStatus(order)).isEqualTo("VOID");
        assertThat(balance(customer)).isEqualTo(5000);
        assertThat(published(order)).isEmpty();
    }

    @Test
    void the_same_holds_within_a_batch() throws SQLException {
        var customer = customerWith(5000);

        publish(cancelled(order, customer), reserved(order, customer, 100));

        assertThat(paymentStatus(order)).isEqualTo("VOID");
        assertThat(published(order)).isEmpty();
    }

    @Test
    void a_cancellation_after_a_decline_changes_nothing() throws SQLException {
        var customer = customerWith(10);

        publish(reserved(order, customer, 100));
        publish(cancelled(order, customer));

        assertThat(paymentStatus(order)).isEqualTo("DECLINED");
        assertThat(published(order)).containsExactly("PaymentDeclined 1");
    }

    @Test
    void a_payment_that_a_concurrent_transaction_added_is_not_overwritten() {
        var customer = customerWith(5000);
        publish(reserved(order, customer, 100));
        var voided = Payment.expected(order, customer).cancel("changed my mind", Instant.now());

        assertThatThrownBy(() -> QuarkusTransaction.requiringNew().call(() -> {
                    payments.add(List.of(voided.orElseThrow().payment()), Map.of());
                    writes.flush();
                    return null;
                }))
                .hasStackTraceContaining("payment_pkey");
    }

    @Test
    void irrelevant_events_are_skipped() throws SQLException {
        var customer = customerWith(5000);
        var ofTheFuture = OrderTopic.header(
                OrderTopic.with(
                        record(reserved(order, customer, 100)), order.toString(), "not even JSON".getBytes(UTF_8)),
                EventHeaders.TYPE,
                "OrderTeleported");

        publish(List.of(
                ofTheFuture,
                record(new OrderRejected(order, customer, "out of stock", Instant.now())),
                record(reserved(order, customer, 100))));

        assertThat(paymentStatus(order)).isEqualTo("CAPTURED");
        assertThat(parked(order.toString())).isEmpty();
    }

    @Test
    void a_malformed_event_is_parked_with_later_ones_of_its_order_and_other_orders_flow() throws SQLException {
        var customer = customerWith(5000);
        var another = UuidV7.next();
        var malformed =
                OrderTopic.with(record(reserved(order, customer, 100)), order.toString(), "{\"id\":42".getBytes(UTF_8));

        publish(List.of(malformed, record(cancelled(order, customer)), record(reserved(another, customer, 100))));
        publish(cancelled(order, customer));

        assertThat(parked(order.toString())).containsExactly("UNREADABLE", "BEHIND", "BEHIND");
        payment(order).statusCode(404);
        assertThat(paymentStatus(another)).isEqualTo("CAPTURED");
    }

    @Test
    void an_event_that_the_database_rejects_is_parked_and_the_rest_of_its_batch_takes_effect_once()
            throws SQLException {
        var customer = customerWith(5000);
        var before = UuidV7.next();
        var after = UuidV7.next();
        var rejected = new OrderCancelled(order, customer, "PostgreSQL has no \0 in its texts", Instant.now());

        publish(reserved(before, customer, 100), rejected, reserved(after, customer, 100));

        assertThat(parked(order.toString())).containsExactly("FAILED");
        payment(order).statusCode(404);
        assertThat(published(before)).containsExactly("PaymentCaptured 1");
        assertThat(published(after)).containsExactly("PaymentCaptured 1");
        assertThat(balance(customer)).isEqualTo(4800);
    }
}
