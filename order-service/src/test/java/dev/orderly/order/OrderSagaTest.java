package dev.orderly.order;

import dev.orderly.events.Money;
import dev.orderly.events.OrderEvent;
import dev.orderly.events.OrderEvent.Line;
import dev.orderly.events.PaymentMethod;
import dev.orderly.testing.EventSamples;
import java.time.Clock;
import java.util.List;
import org.junit.jupiter.api.Test;

class OrderSagaTest {

    private final OrderSaga saga = new OrderSaga(null, null, Clock.systemUTC(), "order-consumer-group");

    @Test
    void the_saga_reads_the_events_that_decide_an_order_and_no_others() {
        EventSamples.assertReactsToWhatChangesSomething(
                saga, EventSamples.ORDER_EVENTS, OrderSagaTest::decidesAnUndecidedOrder);
    }

    private static boolean decidesAnUndecidedOrder(OrderEvent event) {
        var line = new Line("mug", 2, Money.of(1999, "EUR"));
        var order = new Order(
                EventSamples.ORDER, EventSamples.CUSTOMER, List.of(line), PaymentMethod.BALANCE, EventSamples.NOW);
        return order.on(event, EventSamples.NOW).isPresent();
    }
}
