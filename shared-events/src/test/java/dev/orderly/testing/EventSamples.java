package dev.orderly.testing;

import static java.util.stream.Collectors.toSet;
import static org.assertj.core.api.Assertions.assertThat;

import dev.orderly.events.CustomerEvent;
import dev.orderly.events.CustomerEvent.CodeRequested;
import dev.orderly.events.CustomerEvent.Contact;
import dev.orderly.events.CustomerEvent.CustomerErased;
import dev.orderly.events.CustomerEvent.CustomerRegistered;
import dev.orderly.events.CustomerEvent.CustomerVerified;
import dev.orderly.events.CustomerEvent.Verification;
import dev.orderly.events.Event;
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
import dev.orderly.messaging.EventHandler;
import java.time.Instant;
import java.util.List;
import java.util.UUID;
import java.util.function.Predicate;

/** One event of every type, all of one order or of its customer, and what is checked with them. */
public final class EventSamples {

    public static final UUID ORDER = UUID.fromString("0198c6a2-0000-7000-8000-000000000001");
    public static final UUID CUSTOMER = UUID.fromString("0198c6a2-0000-7000-8000-000000000002");
    public static final Money TOTAL = Money.of(3998, "EUR");
    public static final Instant NOW = Instant.parse("2026-11-23T10:15:30.123Z");

    private static final Contact CONTACT = new Contact("Ada Lovelace", "ada@example.org", "+493012345678");
    private static final Verification VERIFICATION =
            new Verification(UUID.fromString("0198c6a2-0000-7000-8000-000000000003"), NOW.plusSeconds(600));

    /** Of an order for two mugs, paid from the balance. */
    public static final List<OrderEvent> ORDER_EVENTS = List.of(
            new OrderPlaced(
                    ORDER,
                    CUSTOMER,
                    List.of(new Line("mug", 2, Money.of(1999, "EUR"))),
                    TOTAL,
                    PaymentMethod.BALANCE,
                    null,
                    null,
                    NOW),
            new StockReserved(ORDER, CUSTOMER, TOTAL, PaymentMethod.BALANCE, null, null, NOW),
            new StockRejected(ORDER, List.of("mug"), NOW),
            new PaymentCaptured(ORDER, TOTAL, NOW),
            new PaymentDeclined(ORDER, "balance too low", NOW),
            new OrderConfirmed(ORDER, CUSTOMER, TOTAL, NOW),
            new OrderRejected(ORDER, CUSTOMER, "out of stock: mug", NOW),
            new OrderCancelled(ORDER, CUSTOMER, "cancelled by the customer", NOW),
            new PaymentRefunded(ORDER, TOTAL, NOW));

    public static final List<CustomerEvent> CUSTOMER_EVENTS = List.of(
            new CustomerRegistered(CUSTOMER, CONTACT, VERIFICATION, NOW),
            new CodeRequested(CUSTOMER, CONTACT, VERIFICATION, NOW),
            new CustomerVerified(CUSTOMER, CONTACT, NOW),
            new CustomerErased(CUSTOMER));

    private EventSamples() {}

    /** An order for one mug, paid from the balance. */
    public static OrderPlaced placed(UUID order, UUID customer, Money price) {
        var lines = List.of(new Line("mug", 1, price));
        return new OrderPlaced(order, customer, lines, price, PaymentMethod.BALANCE, null, null, NOW);
    }

    /**
     * Checks that a handler reads from the topic the types that change something, and no others. Both are
     * stated in the handler, by its {@code switch} and by {@link EventHandler#reactsTo}: a type that only the
     * first has is skipped, and one that only the second has is parsed without effect.
     *
     * @param samples {@link #ORDER_EVENTS} or {@link #CUSTOMER_EVENTS}
     * @param changesSomething the handler's decision, in some state for which the event matters
     */
    public static <E extends Event> void assertReactsToWhatChangesSomething(
            EventHandler<E> handler, List<E> samples, Predicate<E> changesSomething) {
        var expected = samples.stream()
                .filter(changesSomething)
                .map(Object::getClass)
                .map(Class::getSimpleName)
                .collect(toSet());
        assertThat(handler.reactsTo().stream().map(Class::getSimpleName))
                .as("the types that %s reads from the topic", handler.getClass().getSimpleName())
                .containsExactlyInAnyOrderElementsOf(expected);
    }
}
