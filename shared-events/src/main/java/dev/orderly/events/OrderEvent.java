package dev.orderly.events;

import static com.fasterxml.jackson.annotation.JsonInclude.Include.NON_NULL;
import static com.fasterxml.jackson.annotation.JsonProperty.Access.READ_ONLY;
import static dev.orderly.events.RequiredFields.require;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.annotation.JsonPropertyOrder;
import java.time.Instant;
import java.util.List;
import java.util.UUID;

/**
 * Everything that can happen to an order. All events of an order, by all services, travel on one topic under
 * the order's id as key, so that Kafka keeps them in causal order (M. Kleppmann, <a
 * href="https://www.confluent.io/blog/put-several-event-types-kafka-topic/">Should You Put Several Event
 * Types in the Same Kafka Topic?</a>).
 *
 * <p>The simple name of a record is its {@code type} on the wire, and its components are the fields of the
 * JSON value, so neither is renamed but by expand and contract (CONTRIBUTING, "Change an event"). An event
 * carries what the next step needs, so that no service has to ask another, or to remember an earlier event.
 */
@JsonPropertyOrder({"id", "status"})
public sealed interface OrderEvent extends Event {

    /** The order, and the key of the record. */
    @Override
    UUID id();

    /** The status that the event puts the order in; on the wire for readers that do not know the type. */
    @JsonProperty(access = READ_ONLY)
    default OrderStatus status() {
        return switch (this) {
            case OrderPlaced _ -> OrderStatus.PENDING;
            case StockReserved _ -> OrderStatus.RESERVED;
            case StockRejected _ -> OrderStatus.OUT_OF_STOCK;
            case PaymentCaptured _ -> OrderStatus.PAID;
            case PaymentDeclined _ -> OrderStatus.DECLINED;
            case OrderConfirmed _ -> OrderStatus.CONFIRMED;
            case OrderRejected _ -> OrderStatus.REJECTED;
            case OrderCancelled _ -> OrderStatus.CANCELLED;
            case PaymentRefunded _ -> OrderStatus.REFUNDED;
        };
    }

    Instant occurredAt();

    @Override
    default Topic topic() {
        return Topic.ORDERS;
    }

    /** A line of an order, at the price of the moment it was placed. */
    record Line(String sku, int quantity, Money unitPrice) {

        /** The form of a SKU in requests and answers. */
        public static final String SKU = "[a-z0-9][a-z0-9-]{0,63}";

        public static final String SKU_MESSAGE =
                "must be 1 to 64 lower-case letters, digits and hyphens, and not begin with a hyphen";

        public Line {
            require("sku", sku, "unitPrice", unitPrice);
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
     * By order-service: the customer has placed an order.
     *
     * @param cardId of the card to pay with, which the customer has left with payment-service, when the
     *     method is {@link PaymentMethod#CARD}; else null, and not on the wire
     * @param cardToken in its place in orders of the release before, which are on the topic for 7 days; to be
     *     dropped with schema 3
     */
    record OrderPlaced(
            UUID id,
            UUID customerId,
            List<Line> lines,
            Money total,
            PaymentMethod paymentMethod,
            @JsonInclude(NON_NULL) UUID cardId,
            @JsonInclude(NON_NULL) CardToken cardToken,
            Instant occurredAt)
            implements OrderEvent {
        public OrderPlaced {
            require("id", id, "customerId", customerId, "lines", lines, "total", total, "occurredAt", occurredAt);
            requireMatch(paymentMethod, cardId, cardToken);
            lines = List.copyOf(lines);
            if (lines.isEmpty()) {
                throw new IllegalArgumentException("an order has at least one line");
            }
        }

        @Override
        public int schema() {
            return schemaOf(cardId);
        }
    }

    /** By inventory-service: every line is reserved, and the order can be paid as it was placed. */
    record StockReserved(
            UUID id,
            UUID customerId,
            Money total,
            PaymentMethod paymentMethod,
            @JsonInclude(NON_NULL) UUID cardId,
            @JsonInclude(NON_NULL) CardToken cardToken,
            Instant occurredAt)
            implements OrderEvent {
        public StockReserved {
            require("id", id, "customerId", customerId, "total", total, "occurredAt", occurredAt);
            requireMatch(paymentMethod, cardId, cardToken);
        }

        @Override
        public int schema() {
            return schemaOf(cardId);
        }
    }

    /** By inventory-service: nothing is reserved, because these SKUs are short. */
    record StockRejected(UUID id, List<String> outOfStock, Instant occurredAt) implements OrderEvent {
        public StockRejected {
            require("id", id, "outOfStock", outOfStock, "occurredAt", occurredAt);
            outOfStock = List.copyOf(outOfStock);
        }
    }

    /** By payment-service: the money has been taken. */
    record PaymentCaptured(UUID id, Money amount, Instant occurredAt) implements OrderEvent {
        public PaymentCaptured {
            require("id", id, "amount", amount, "occurredAt", occurredAt);
        }
    }

    /** By payment-service: no money has been taken. */
    record PaymentDeclined(UUID id, String reason, Instant occurredAt) implements OrderEvent {
        public PaymentDeclined {
            require("id", id, "reason", reason, "occurredAt", occurredAt);
        }
    }

    /** By order-service, terminal: paid, and the reserved stock is sold. */
    record OrderConfirmed(UUID id, UUID customerId, Money total, Instant occurredAt) implements OrderEvent {
        public OrderConfirmed {
            require("id", id, "customerId", customerId, "total", total, "occurredAt", occurredAt);
        }
    }

    /** By order-service, terminal: out of stock or not paid; reserved stock is released. */
    record OrderRejected(UUID id, UUID customerId, String reason, Instant occurredAt) implements OrderEvent {
        public OrderRejected {
            require("id", id, "customerId", customerId, "reason", reason, "occurredAt", occurredAt);
        }
    }

    /** By order-service, terminal: reserved stock is released and captured money refunded, in any order. */
    record OrderCancelled(UUID id, UUID customerId, String reason, Instant occurredAt) implements OrderEvent {
        public OrderCancelled {
            require("id", id, "customerId", customerId, "reason", reason, "occurredAt", occurredAt);
        }
    }

    /** By payment-service: what was captured for an order that was not confirmed is refunded. */
    record PaymentRefunded(UUID id, Money amount, Instant occurredAt) implements OrderEvent {
        public PaymentRefunded {
            require("id", id, "amount", amount, "occurredAt", occurredAt);
        }
    }

    private static void requireMatch(PaymentMethod method, UUID cardId, CardToken cardToken) {
        require("paymentMethod", method);
        var cards = (cardId == null ? 0 : 1) + (cardToken == null ? 0 : 1);
        if (cards != (method == PaymentMethod.CARD ? 1 : 0)) {
            throw new IllegalArgumentException("one card goes with payment by card, and none with anything else");
        }
    }

    /** The readers of schema 1 know cards by token alone, and would take this for an order without one. */
    private static int schemaOf(UUID cardId) {
        return cardId == null ? 1 : 2;
    }
}
