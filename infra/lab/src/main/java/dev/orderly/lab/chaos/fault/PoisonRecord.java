package dev.orderly.lab.chaos.fault;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.orderly.testkit.RunningPlatform;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;

/**
 * Records that no service would write. Each is about an order of its own that no client placed, so that it is
 * known what is parked for it: this record, by these groups. One is on the topic of queued buyers.
 */
public enum PoisonRecord {
    NOT_JSON("OrderPlaced", "{\"id\":"),
    NOT_AN_OBJECT("OrderConfirmed", "[1]"),
    NOT_UTF_8("OrderRejected", null),
    NO_VALUE("StockReserved", null),
    NO_KEY("PaymentCaptured", "{}"),
    NO_ID("PaymentCaptured", "{}"),
    ID_IS_NO_UUID("PaymentDeclined", "{}"),
    NO_VERSION("StockRejected", "{}"),
    VERSION_ZERO("OrderPlaced", "{}"),
    SCHEMA_OF_THE_FUTURE("OrderRejected", "{}"),
    FIELDS_MISSING("StockReserved", "{}"),
    KEY_OF_ANOTHER("PaymentCaptured", "captured"),
    ORDER_UNKNOWN("PaymentCaptured", "captured"),
    LARGE("OrderPlaced", "large"),
    TYPE_UNKNOWN("OrderPainted", "{}"),
    NO_TYPE(null, "{}"),
    SOURCE_TOO_LONG("OrderPlaced", "placed"),
    KEY_TOO_LONG("OrderPlaced", "{"),
    HEADER_NAME_TOO_LONG("PaymentCaptured", "captured"),
    SEQ_TOO_LARGE(null, "{}"),
    CONTENT_TYPE_UNKNOWN("OrderPlaced", "{}"),
    SCHEMA_ID_UNKNOWN("OrderConfirmed", null),
    BUYER_WITHOUT_A_SALE(null, null);

    /** The header by which poison is recognized. */
    private static final String HEADER = "chaos";

    private static final int LARGE_BYTES = 600_000;

    /** Random, so that an index cannot compress them: it takes 2704 bytes. */
    private static final String IDEOGRAPHS = new Random(1)
            .ints(1000, 0x4e00, 0x9fa5)
            .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
            .toString();

    private final String type;
    private final String value;

    PoisonRecord(String type, String value) {
        this.type = type;
        this.value = value;
    }

    /** Where such a record is on the topic. */
    public record Injected(PoisonRecord kind, int partition, long offset) {}

    /** Which kind of poison a record is, if any. */
    public static Optional<PoisonRecord> in(ConsumerRecord<?, ?> record) {
        return Optional.ofNullable(record.headers().lastHeader(HEADER))
                .map(header -> valueOf(new String(header.value(), UTF_8)));
    }

    /** The groups that react to its type. */
    public Set<String> parkedBy() {
        return type == null ? Set.of() : Groups.reactingTo(type);
    }

    ProducerRecord<String, byte[]> record() {
        var order = UUID.randomUUID().toString();
        var bytes = switch (this) {
            case NOT_UTF_8 -> new byte[] {'{', (byte) 0xC3, (byte) 0x28, '}'};
            case NO_VALUE -> null;
            case SCHEMA_ID_UNKNOWN -> new byte[] {0, 0x7f, 0, 0, 0, 0};
            case LARGE -> ("{\"id\":\"" + "x".repeat(LARGE_BYTES) + "\"}").getBytes(UTF_8);
            case KEY_OF_ANOTHER -> captured(UUID.randomUUID().toString());
            case ORDER_UNKNOWN, HEADER_NAME_TOO_LONG -> captured(order);
            case SOURCE_TOO_LONG -> placed(order);
            case BUYER_WITHOUT_A_SALE -> order.getBytes(UTF_8);
            default -> value.getBytes(UTF_8);
        };
        var key = switch (this) {
            case NO_KEY -> null;
            case KEY_TOO_LONG -> IDEOGRAPHS;
            case BUYER_WITHOUT_A_SALE -> "\0";
            default -> order;
        };
        var topic = this == BUYER_WITHOUT_A_SALE ? "flash-sale-intake" : RunningPlatform.TOPIC;
        var record = new ProducerRecord<>(topic, key, bytes);
        var id = this == ID_IS_NO_UUID ? "1" : UUID.randomUUID().toString();
        header(record, HEADER, name());
        header(record, "type", type);
        header(
                record,
                "source",
                switch (this) {
                    case SOURCE_TOO_LONG -> IDEOGRAPHS;
                    case SEQ_TOO_LARGE -> "order-service";
                    default -> "chaos";
                });
        header(
                record,
                "content-type",
                switch (this) {
                    case CONTENT_TYPE_UNKNOWN -> "text/xml";
                    case SCHEMA_ID_UNKNOWN -> "application/avro";
                    default -> null;
                });
        header(record, "seq", this == SEQ_TOO_LARGE ? String.valueOf(Long.MAX_VALUE) : null);
        header(record, "id", this == NO_ID ? null : id);
        header(record, "version", this == NO_VERSION ? null : this == VERSION_ZERO ? "0" : "1");
        header(record, "schema", this == SCHEMA_OF_THE_FUTURE ? "1000" : "1");
        if (this == HEADER_NAME_TOO_LONG) {
            header(record, "x".repeat(1100), "1");
        }
        return record;
    }

    private static byte[] placed(String order) {
        return """
                {"id":"%s","status":"PENDING","customerId":"%s",\
                "lines":[{"sku":"poison","quantity":1,"unitPrice":{"amount":1,"currency":"EUR"}}],\
                "total":{"amount":1,"currency":"EUR"},"paymentMethod":"BALANCE","occurredAt":"2026-01-01T00:00:00Z"}\
                """.formatted(order, order).getBytes(UTF_8);
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

    /** Repeated here on purpose, as a check must not rely on the code that it checks. */
    public static final class Groups {
        private Groups() {}

        /** The groups in whose inbox an event of this type must be. */
        public static Set<String> reactingTo(String type) {
            var readers = switch (type) {
                case "OrderPlaced" -> Set.of("inventory");
                case "StockReserved" -> Set.of("payment");
                case "StockRejected", "PaymentCaptured", "PaymentDeclined" -> Set.of("order");
                case "OrderConfirmed", "OrderRejected" -> Set.of("inventory", "notification");
                case "OrderCancelled" -> Set.of("inventory", "payment", "notification");
                case "PaymentRefunded" -> Set.<String>of();
                default -> null;
            };
            return readers == null
                    ? Set.of()
                    : Stream.concat(readers.stream(), Stream.of("order-view"))
                            .map(reader -> reader + "-consumer-group")
                            .collect(Collectors.toSet());
        }
    }
}
