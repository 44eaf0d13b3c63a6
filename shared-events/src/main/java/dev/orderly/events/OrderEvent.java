package dev.orderly.events;

import static com.fasterxml.jackson.annotation.JsonInclude.Include.NON_NULL;
import static com.fasterxml.jackson.annotation.JsonProperty.Access.READ_ONLY;
import static java.util.Objects.requireNonNull;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.annotation.JsonPropertyOrder;
import java.time.Instant;
import java.util.List;
import java.util.UUID;

/**
 * Everything that can happen to an order: the vocabulary of the system. All events of an order, whoever publishes them,
 * travel on one topic under the order's id as key, so that Kafka keeps them in causal order (M. Kleppmann, <a
 * href="https://www.confluent.io/blog/put-several-event-types-kafka-topic/">Should You Put Several Event Types in the
 * Same Kafka Topic?</a>).
 *
 * <p>The simple name of a record is its {@code type} on the wire and its components are the fields of the JSON value, so
 * renaming either is a new schema version. An event carries what the next step needs, so that no service has to ask
 * another or remember what it was told earlier.
 */
@JsonPropertyOrder({"id", "status"})
public sealed interface OrderEvent extends Event {

    /** The order, and the key of the record. */
    @Override
    UUID id();

    /** What the order becomes by this event; derived from the type, but on the wire for readers that know no types. */
    @JsonProperty(access = READ_ONLY)
    OrderStatus status();

    Instant occurredAt();

    @Override
    default Topic topic() {
        return Topic.ORDERS;
    }

    /** A line of an order at the price of the moment it was placed. */
    record Line(String sku, int quantity, Money unitPrice) {

        /** What the services give and take as a SKU over HTTP. */
        public static final String SKU = "[a-z0-9][a-z0-9-]{0,63}";

        public static final String SKU_MESSAGE =
                "must be 1 to 64 lower-case letters, digits and hyphens, and not begin with a hyphen";

        public Line {
            required(sku, "sku");
            required(unitPrice, "unitPrice");
            if (quantity < 1) {
                throw new IllegalArgumentException("quantity must be positive: " + quantity);
            }
        }

        /** @throws ArithmeticException when the price does not fit */
        public Money price() {
            return unitPrice.times(quantity);
        }
    }

    /**
     * By order-service: the customer wants this.
     *
     * @param cardToken what to pay with when the method is {@link PaymentMethod#CARD}, else null, and not on the wire
     */
    record OrderPlaced(
            UUID id,
            UUID customerId,
            List<Line> lines,
            Money total,
            PaymentMethod paymentMethod,
            @JsonInclude(NON_NULL) CardToken cardToken,
            Instant occurredAt)
            implements OrderEvent {
        public OrderPlaced {
            required(id, "id");
            required(customerId, "customerId");
            lines = List.copyOf(required(lines, "lines"));
            required(total, "total");
            requireMatch(paymentMethod, cardToken);
            required(occurredAt, "occurredAt");
            if (lines.isEmpty()) {
                throw new IllegalArgumentException("an order has at least one line");
            }
        }

        @Override
        public OrderStatus status() {
            return OrderStatus.PENDING;
        }
    }

    /** By inventory-service: every line is set aside for the order, which may now be paid, as its placing says. */
    record StockReserved(
            UUID id,
            UUID customerId,
            Money total,
            PaymentMethod paymentMethod,
            @JsonInclude(NON_NULL) CardToken cardToken,
            Instant occurredAt)
            implements OrderEvent {
        public StockReserved {
            required(id, "id");
            required(customerId, "customerId");
            required(total, "total");
            requireMatch(paymentMethod, cardToken);
            required(occurredAt, "occurredAt");
        }

        @Override
        public OrderStatus status() {
            return OrderStatus.RESERVED;
        }
    }

    /** By inventory-service: nothing is set aside, because these SKUs are short. */
    record StockRejected(UUID id, List<String> outOfStock, Instant occurredAt) implements OrderEvent {
        public StockRejected {
            required(id, "id");
            outOfStock = List.copyOf(required(outOfStock, "outOfStock"));
            required(occurredAt, "occurredAt");
        }

        @Override
        public OrderStatus status() {
            return OrderStatus.OUT_OF_STOCK;
        }
    }

    /** By payment-service: the money has been taken. */
    record PaymentCaptured(UUID id, Money amount, Instant occurredAt) implements OrderEvent {
        public PaymentCaptured {
            required(id, "id");
            required(amount, "amount");
            required(occurredAt, "occurredAt");
        }

        @Override
        public OrderStatus status() {
            return OrderStatus.PAID;
        }
    }

    /** By payment-service: no money has been taken. */
    record PaymentDeclined(UUID id, String reason, Instant occurredAt) implements OrderEvent {
        public PaymentDeclined {
            required(id, "id");
            required(reason, "reason");
            required(occurredAt, "occurredAt");
        }

        @Override
        public OrderStatus status() {
            return OrderStatus.DECLINED;
        }
    }

    /** By order-service, terminal: paid, the reserved stock is sold. */
    record OrderConfirmed(UUID id, UUID customerId, Money total, Instant occurredAt) implements OrderEvent {
        public OrderConfirmed {
            required(id, "id");
            required(customerId, "customerId");
            required(total, "total");
            required(occurredAt, "occurredAt");
        }

        @Override
        public OrderStatus status() {
            return OrderStatus.CONFIRMED;
        }
    }

    /** By order-service, terminal: out of stock or not paid; reserved stock is given back. */
    record OrderRejected(UUID id, UUID customerId, String reason, Instant occurredAt) implements OrderEvent {
        public OrderRejected {
            required(id, "id");
            required(customerId, "customerId");
            required(reason, "reason");
            required(occurredAt, "occurredAt");
        }

        @Override
        public OrderStatus status() {
            return OrderStatus.REJECTED;
        }
    }

    /** By order-service, terminal: reserved stock is given back and captured money refunded, whichever comes first. */
    record OrderCancelled(UUID id, UUID customerId, String reason, Instant occurredAt) implements OrderEvent {
        public OrderCancelled {
            required(id, "id");
            required(customerId, "customerId");
            required(reason, "reason");
            required(occurredAt, "occurredAt");
        }

        @Override
        public OrderStatus status() {
            return OrderStatus.CANCELLED;
        }
    }

    /** By payment-service: what was captured for a cancelled order is back with the customer. */
    record PaymentRefunded(UUID id, Money amount, Instant occurredAt) implements OrderEvent {
        public PaymentRefunded {
            required(id, "id");
            required(amount, "amount");
            required(occurredAt, "occurredAt");
        }

        @Override
        public OrderStatus status() {
            return OrderStatus.REFUNDED;
        }
    }

    private static void requireMatch(PaymentMethod method, CardToken token) {
        if ((required(method, "paymentMethod") == PaymentMethod.CARD) != (token != null)) {
            throw new IllegalArgumentException("a card token goes with payment by card, and with nothing else");
        }
    }

    private static <T> T required(T value, String name) {
        return requireNonNull(value, () -> name + " is missing");
    }
}
