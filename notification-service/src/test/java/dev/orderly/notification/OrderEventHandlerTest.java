package dev.orderly.notification;

import static java.util.stream.Collectors.toSet;
import static org.assertj.core.api.Assertions.assertThat;

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
import dev.orderly.events.PaymentMethod;
import dev.orderly.notification.Message.Kind;
import dev.orderly.testing.EventSamples;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class OrderEventHandlerTest {

    private static final UUID ORDER = UUID.randomUUID();
    private static final UUID CUSTOMER = UUID.randomUUID();
    private static final Money TOTAL = Money.of(3998, "EUR");
    private static final Instant NOW = Instant.parse("2026-11-23T10:15:30.123Z");

    private static final List<OrderEvent> ENDS = List.of(
            new OrderConfirmed(ORDER, CUSTOMER, TOTAL, NOW),
            new OrderRejected(ORDER, CUSTOMER, "out of stock: mug", NOW),
            new OrderCancelled(ORDER, CUSTOMER, "cancelled by the customer", NOW));

    private static final List<OrderEvent> STEPS = List.of(
            new OrderPlaced(
                    ORDER, CUSTOMER, List.of(new Line("mug", 2, TOTAL)), TOTAL, PaymentMethod.BALANCE, null, NOW),
            new StockReserved(ORDER, CUSTOMER, TOTAL, PaymentMethod.BALANCE, null, NOW),
            new StockRejected(ORDER, List.of("mug"), NOW),
            new PaymentCaptured(ORDER, TOTAL, NOW),
            new PaymentDeclined(ORDER, "balance too low", NOW),
            new PaymentRefunded(ORDER, TOTAL, NOW));

    static List<OrderEvent> ends() {
        return ENDS;
    }

    static List<OrderEvent> steps() {
        return STEPS;
    }

    @ParameterizedTest
    @MethodSource("ends")
    void the_end_of_an_order_is_told_to_its_customer(OrderEvent end) {
        var letter = OrderEventHandler.letterAbout(end).orElseThrow();

        assertThat(letter.about()).isEqualTo(ORDER);
        assertThat(letter.customerId()).isEqualTo(CUSTOMER);
        assertThat(letter.kind()).isEqualTo(Kind.valueOf(end.status().name()));
    }

    @ParameterizedTest
    @MethodSource("steps")
    void the_steps_on_the_way_are_not(OrderEvent step) {
        assertThat(OrderEventHandler.letterAbout(step)).isEmpty();
    }

    @Test
    void only_what_leads_to_a_letter_is_read_from_the_topic() {
        EventSamples.assertReactsToWhatChangesSomething(
                new OrderEventHandler(null, null, null, null),
                EventSamples.ORDER_EVENTS,
                event -> OrderEventHandler.letterAbout(event).isPresent());
    }

    @Test
    void these_are_all_events_that_there_are() {
        assertThat(Stream.concat(ENDS.stream(), STEPS.stream())
                        .map(OrderEvent::getClass)
                        .collect(toSet()))
                .isEqualTo(
                        Arrays.stream(OrderEvent.class.getPermittedSubclasses()).collect(toSet()));
    }
}
