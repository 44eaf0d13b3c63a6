package dev.orderly.lab.chaos.fault;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.orderly.testkit.RunningPlatform;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;

/**
 * Records that nobody of ours would write. Each is about an order of its own that nobody placed, so that what is parked for
 * it is known: by these groups this record, and nothing else.
 */
public enum PoisonRecord {
    NOT_JSON("OrderPlaced", "{\"id\":", Set.of("inventory-consumer-group", "order-view-consumer-group")),
    NOT_AN_OBJECT("OrderConfirmed", "[1]", Groups.OF_ENDINGS),
    NOT_UTF_8("OrderRejected", null, Groups.OF_ENDINGS),
    NO_VALUE("StockReserved", null, Set.of("payment-consumer-group", "order-view-consumer-group")),
    NO_KEY("PaymentCaptured", "{}", Groups.OF_PAYMENTS),
    NO_ID("PaymentCaptured", "{}", Groups.OF_PAYMENTS),
    ID_IS_NO_UUID("PaymentDeclined", "{}", Groups.OF_PAYMENTS),
    NO_VERSION("StockRejected", "{}", Groups.OF_PAYMENTS),
    VERSION_ZERO("OrderPlaced", "{}", Set.of("inventory-consumer-group", "order-view-consumer-group")),
    SCHEMA_OF_THE_FUTURE("OrderRejected", "{}", Groups.OF_ENDINGS),
    FIELDS_MISSING("StockReserved", "{}", Set.of("payment-consumer-group", "order-view-consumer-group")),
    KEY_OF_ANOTHER("PaymentCaptured", "captured", Groups.OF_PAYMENTS),
    ORDER_UNKNOWN("PaymentCaptured", "captured", Groups.OF_PAYMENTS),
    LARGE("OrderPlaced", "large", Set.of("inventory-consumer-group", "order-view-consumer-group")),
    TYPE_UNKNOWN("OrderPainted", "{}", Set.of()),
    NO_TYPE(null, "{}", Set.of());

    /** By this header the lab knows its own, and which they are. */
    private static final String MARK = "chaos";

    private static final int LARGE_BYTES = 600_000;

    private final String type;
    private final String value;
    private final Set<String> parkedBy;

    PoisonRecord(String type, String value, Set<String> parkedBy) {
        this.type = type;
        this.value = value;
        this.parkedBy = parkedBy;
    }

    /** Where such a record came to lie. */
    public record Injected(PoisonRecord kind, int partition, long offset) {}

    /** Which of them a record is; none if it is none. */
    public static Optional<PoisonRecord> in(ConsumerRecord<?, ?> record) {
        return Optional.ofNullable(record.headers().lastHeader(MARK))
                .map(mark -> valueOf(new String(mark.value(), UTF_8)));
    }

    public Set<String> parkedBy() {
        return parkedBy;
    }

    ProducerRecord<String, byte[]> record() {
        var order = UUID.randomUUID().toString();
        var bytes = switch (this) {
            case NOT_UTF_8 -> new byte[] {'{', (byte) 0xC3, (byte) 0x28, '}'};
            case NO_VALUE -> null;
            case LARGE -> ("{\"id\":\"" + "x".repeat(LARGE_BYTES) + "\"}").getBytes(UTF_8);
            case KEY_OF_ANOTHER -> captured(UUID.randomUUID().toString());
            case ORDER_UNKNOWN -> captured(order);
            default -> value.getBytes(UTF_8);
        };
        var record = new ProducerRecord<>(RunningPlatform.TOPIC, this == NO_KEY ? null : order, bytes);
        header(record, MARK, name());
        header(record, "type", type);
        header(record, "source", "nobody");
        header(
                record,
                "id",
                switch (this) {
                    case NO_ID -> null;
                    case ID_IS_NO_UUID -> "1";
                    default -> UUID.randomUUID().toString();
                });
        header(
                record,
                "version",
                switch (this) {
                    case NO_VERSION -> null;
                    case VERSION_ZERO -> "0";
                    default -> "1";
                });
        header(record, "schema", this == SCHEMA_OF_THE_FUTURE ? "1000" : "1");
        return record;
    }

    private static byte[] captured(String order) {
        return ("{\"id\":\"%s\",\"status\":\"PAID\",\"amount\":{\"amount\":1,\"currency\":\"EUR\"},"
                        + "\"occurredAt\":\"2026-01-01T00:00:00Z\"}")
                .formatted(order)
                .getBytes(UTF_8);
    }

    private static void header(ProducerRecord<String, byte[]> record, String name, String value) {
        if (value != null) {
            record.headers().add(name, value.getBytes(UTF_8));
        }
    }

    static List<String> names() {
        return Arrays.stream(values())
                .map(poison -> poison.name().toLowerCase(Locale.ROOT).replace('_', '-'))
                .toList();
    }

    static PoisonRecord named(String name) {
        return valueOf(name.toUpperCase(Locale.ROOT).replace('-', '_'));
    }

    /** Who reacts to what, said here a second time on purpose: a checker that asks the checked learns nothing. */
    public static final class Groups {
        static final Set<String> OF_ENDINGS =
                Set.of("inventory-consumer-group", "notification-consumer-group", "order-view-consumer-group");
        static final Set<String> OF_PAYMENTS = Set.of("order-consumer-group", "order-view-consumer-group");

        /** The groups in whose inbox an event of this type must be. */
        public static Set<String> reactingTo(String type) {
            return switch (type) {
                case "OrderPlaced" -> Set.of("inventory-consumer-group", "order-view-consumer-group");
                case "StockReserved" -> Set.of("payment-consumer-group", "order-view-consumer-group");
                case "StockRejected", "PaymentCaptured", "PaymentDeclined" -> OF_PAYMENTS;
                case "OrderConfirmed", "OrderRejected" -> OF_ENDINGS;
                case "OrderCancelled" ->
                    Set.of(
                            "inventory-consumer-group",
                            "payment-consumer-group",
                            "notification-consumer-group",
                            "order-view-consumer-group");
                case "PaymentRefunded" -> Set.of("order-view-consumer-group");
                default -> Set.of();
            };
        }

        private Groups() {}
    }
}
