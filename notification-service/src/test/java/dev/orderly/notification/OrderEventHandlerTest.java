package dev.orderly.notification;

import static org.assertj.core.api.Assertions.assertThat;

import dev.orderly.events.OrderEvent;
import dev.orderly.events.OrderEvent.OrderCancelled;
import dev.orderly.events.OrderEvent.OrderConfirmed;
import dev.orderly.events.OrderEvent.OrderRejected;
import dev.orderly.notification.Message.Kind;
import dev.orderly.testing.EventSamples;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class OrderEventHandlerTest {

    private static final Set<Class<? extends OrderEvent>> TERMINAL =
            Set.of(OrderConfirmed.class, OrderRejected.class, OrderCancelled.class);

    static Stream<OrderEvent> terminalEvents() {
        return EventSamples.ORDER_EVENTS.stream().filter(event -> TERMINAL.contains(event.getClass()));
    }

    static Stream<OrderEvent> intermediateEvents() {
        return EventSamples.ORDER_EVENTS.stream().filter(event -> !TERMINAL.contains(event.getClass()));
    }

    @ParameterizedTest
    @MethodSource("terminalEvents")
    void a_terminal_event_leads_to_a_message_to_the_customer(OrderEvent event) {
        var message = OrderEventHandler.messageAbout(event).orElseThrow();

        assertThat(message.referenceId()).isEqualTo(EventSamples.ORDER);
        assertThat(message.customerId()).isEqualTo(EventSamples.CUSTOMER);
        assertThat(message.kind()).isEqualTo(Kind.valueOf(event.status().name()));
    }

    @ParameterizedTest
    @MethodSource("intermediateEvents")
    void an_intermediate_event_leads_to_none(OrderEvent event) {
        assertThat(OrderEventHandler.messageAbout(event)).isEmpty();
    }

    @Test
    void only_events_that_lead_to_a_message_are_decoded() {
        EventSamples.assertReactsToWhatChangesSomething(
                new OrderEventHandler(null, null, null, null, null),
                EventSamples.ORDER_EVENTS,
                event -> OrderEventHandler.messageAbout(event).isPresent());
    }

    @Test
    void the_samples_cover_every_event_type() {
        assertThat(EventSamples.ORDER_EVENTS)
                .extracting(Object::getClass)
                .containsExactlyInAnyOrderElementsOf(List.of(OrderEvent.class.getPermittedSubclasses()));
    }
}
