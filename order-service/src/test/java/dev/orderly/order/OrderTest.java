package dev.orderly.order;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.orderly.events.Money;
import dev.orderly.events.OrderEvent;
import dev.orderly.events.OrderEvent.Line;
import dev.orderly.events.OrderEvent.OrderCancelled;
import dev.orderly.events.OrderEvent.OrderConfirmed;
import dev.orderly.events.OrderEvent.OrderPlaced;
import dev.orderly.events.OrderEvent.OrderRejected;
import dev.orderly.events.OrderEvent.PaymentCaptured;
import dev.orderly.events.OrderEvent.PaymentDeclined;
import dev.orderly.events.OrderEvent.PaymentRefunded;
import dev.orderly.events.OrderEvent.StockRejected;
import dev.orderly.events.OrderEvent.StockReserved;
import dev.orderly.events.OrderStatus;
import dev.orderly.events.PaymentMethod;
import java.time.Instant;
import java.util.List;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class OrderTest {

    private static final UUID ID = UUID.randomUUID();
    private static final UUID CUSTOMER = UUID.randomUUID();
    private static final Money TOTAL = Money.of(4000, "EUR");
    private static final Instant PLACED_AT = Instant.parse("2026-11-23T10:15:30.123Z");
    private static final Instant LATER = PLACED_AT.plusSeconds(1);

    @Test
    void an_order_is_placed_with_the_sum_of_its_lines() {
        assertThat(order().placedEvent(null))
                .isEqualTo(new OrderPlaced(
                        ID,
                        CUSTOMER,
                        List.of(new Line("mug", 2, Money.of(1500, "EUR")), new Line("pen", 1, Money.of(1000, "EUR"))),
                        TOTAL,
                        PaymentMethod.BALANCE,
                        null,
                        null,
                        PLACED_AT));
        assertThat(order().version()).isEqualTo(1);
        assertThat(order().status()).isEqualTo(OrderStatus.PENDING);
    }

    @Test
    void an_order_that_does_not_add_up_is_refused() {
        var euros = new Line("mug", 1, Money.of(1, "EUR"));
        assertThatThrownBy(() -> order(List.of())).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> order(List.of(euros, new Line("pen", 1, Money.of(1, "USD")))))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> order(List.of(euros, new Line("yacht", 1, Money.of(Long.MAX_VALUE, "EUR")))))
                .isInstanceOf(ArithmeticException.class);
    }

    static Stream<Arguments> decisions() {
        return Stream.of(
                Arguments.of(new PaymentCaptured(ID, TOTAL, PLACED_AT), new OrderConfirmed(ID, CUSTOMER, TOTAL, LATER)),
                Arguments.of(
                        new StockRejected(ID, List.of("mug", "pen"), PLACED_AT),
                        new OrderRejected(ID, CUSTOMER, "out of stock: mug, pen", LATER)),
                Arguments.of(
                        new PaymentDeclined(ID, "balance too low", PLACED_AT),
                        new OrderRejected(ID, CUSTOMER, "balance too low", LATER)));
    }

    @ParameterizedTest
    @MethodSource("decisions")
    void an_undecided_order_is_decided_by_what_the_others_report(OrderEvent reported, OrderEvent decision) {
        var order = order();

        assertThat(order.on(reported, LATER)).contains(decision);
        assertThat(order.status()).isEqualTo(decision.status());
        assertThat(order.version()).isEqualTo(2);
    }

    static Stream<OrderEvent> reportsThatDecideNothing() {
        return Stream.of(
                new OrderPlaced(
                        ID,
                        CUSTOMER,
                        List.of(new Line("mug", 1, TOTAL)),
                        TOTAL,
                        PaymentMethod.BALANCE,
                        null,
                        null,
                        PLACED_AT),
                new StockReserved(ID, CUSTOMER, TOTAL, PaymentMethod.BALANCE, null, null, PLACED_AT),
                new OrderConfirmed(ID, CUSTOMER, TOTAL, PLACED_AT),
                new OrderRejected(ID, CUSTOMER, "why not", PLACED_AT),
                new OrderCancelled(ID, CUSTOMER, "why not", PLACED_AT),
                new PaymentRefunded(ID, TOTAL, PLACED_AT));
    }

    @ParameterizedTest
    @MethodSource("reportsThatDecideNothing")
    void an_undecided_order_waits_on_while_others_report_what_decides_nothing(OrderEvent reported) {
        var order = order();

        assertThat(order.on(reported, LATER)).isEmpty();
        assertThat(order.status()).isEqualTo(OrderStatus.PENDING);
        assertThat(order.version()).isEqualTo(1);
    }

    @Test
    void all_events_are_tested_here() {
        assertThat(Stream.concat(decisions().map(arguments -> arguments.get()[0]), reportsThatDecideNothing())
                        .map(Object::getClass))
                .containsExactlyInAnyOrder(OrderEvent.class.getPermittedSubclasses());
    }

    static Stream<Arguments> everyEventInEveryDecidedState() {
        return decidedOrders()
                .flatMap(order -> Stream.concat(
                                decisions()
                                        .map(arguments -> (OrderEvent) arguments.get()[0]),
                                reportsThatDecideNothing())
                        .map(event -> Arguments.of(order, event)));
    }

    @ParameterizedTest
    @MethodSource("everyEventInEveryDecidedState")
    void a_decided_order_stays_as_it_is_whatever_comes_late(Order order, OrderEvent late) {
        var status = order.status();

        assertThat(order.on(late, LATER)).isEmpty();
        assertThat(order.status()).isEqualTo(status);
        assertThat(order.version()).isEqualTo(2);
    }

    @Test
    void an_undecided_order_can_be_cancelled() {
        var order = order();

        assertThat(order.cancel(LATER)).contains(new OrderCancelled(ID, CUSTOMER, "cancelled by the customer", LATER));
        assertThat(order.status()).isEqualTo(OrderStatus.CANCELLED);
        assertThat(order.version()).isEqualTo(2);
    }

    @Test
    void an_undecided_order_is_cancelled_at_its_deadline() {
        var order = order();

        assertThat(order.expire(LATER)).contains(new OrderCancelled(ID, CUSTOMER, "not decided in time", LATER));
        assertThat(order.status()).isEqualTo(OrderStatus.CANCELLED);
        assertThat(order.version()).isEqualTo(2);
    }

    @ParameterizedTest
    @MethodSource("decidedOrders")
    void a_decided_order_cannot_be_cancelled(Order order) {
        var status = order.status();

        assertThat(order.cancel(LATER)).isEmpty();
        assertThat(order.expire(LATER)).isEmpty();
        assertThat(order.status()).isEqualTo(status);
        assertThat(order.version()).isEqualTo(2);
    }

    static Stream<Order> decidedOrders() {
        var confirmed = order();
        confirmed.on(new PaymentCaptured(ID, TOTAL, PLACED_AT), LATER);
        var rejected = order();
        rejected.on(new PaymentDeclined(ID, "balance too low", PLACED_AT), LATER);
        var cancelled = order();
        cancelled.cancel(LATER);
        return Stream.of(confirmed, rejected, cancelled);
    }

    private static Order order() {
        return order(List.of(new Line("mug", 2, Money.of(1500, "EUR")), new Line("pen", 1, Money.of(1000, "EUR"))));
    }

    private static Order order(List<Line> lines) {
        return new Order(ID, CUSTOMER, lines, PaymentMethod.BALANCE, PLACED_AT);
    }
}
