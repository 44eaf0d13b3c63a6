package dev.orderly.testing;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.orderly.events.EventHeaders;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.record.TimestampType;

/**
 * Records that no service would write: valid ones with some changes, at random, but the same for the same
 * seed. A record is described by a {@link Recipe}, so that a batch that fails can be made again, and be
 * {@linkplain #shrink shrunk} to what it fails by.
 *
 * <p>By hand, since the property-based testing library for Java (jqwik) has an engine of its own, under which
 * a {@code @QuarkusTest} does not run, and is not made for JUnit 6.
 */
public final class RecordGenerator {

    /**
     * Around the limits of the names and numbers that we read, of what we store of a text, of an entry of an
     * index, of varints and shorts, of an outbox's payload and of a topic's record.
     */
    private static final int[] LENGTHS = {
        0, 1, 2, 35, 36, 37, 63, 64, 65, 127, 128, 255, 256, 999, 1000, 1001, 2703, 2704, 2705, 8191, 8192, 32_767,
        32_768, 65_535, 65_536, 262_143, 262_144, 262_145, 900_000
    };

    private static final List<String> NUMBERS = List.of(
            "-1",
            "0",
            "1",
            "2",
            "+1",
            "1.0",
            "1e9",
            " 1",
            "0x1",
            "\u0661",
            "2147483647",
            "2147483648",
            "9223372036854775806",
            "9223372036854775807",
            "9223372036854775808",
            "NaN");

    private static final List<String> NAMES = List.of(
            "OrderPlaced",
            "OrderRejected",
            "OrderGiftWrapped",
            "StockReserved",
            "CustomerErased",
            "order-service",
            "payment-service",
            "Order-Service",
            "00000000-0000-0000-0000-000000000000",
            "ffffffff-ffff-7fff-bfff-ffffffffffff",
            "ffffffff-ffff-1fff-bfff-ffffffffffff",
            "1-1-1-1-1",
            "null",
            "[]",
            "{}");

    private static final ObjectMapper JSON = new ObjectMapper();

    /** What of a record is changed. */
    public enum Part {
        KEY(null),
        VALUE(null),
        /** One of those in the value, which stays JSON. */
        FIELD(null),
        ID(EventHeaders.ID),
        TYPE(EventHeaders.TYPE),
        SOURCE(EventHeaders.SOURCE),
        VERSION(EventHeaders.VERSION),
        SCHEMA(EventHeaders.SCHEMA),
        SEQ(EventHeaders.SEQ),
        TRACEPARENT(EventHeaders.TRACEPARENT),
        OTHER_HEADER("other"),
        HEADER_NAME(null),
        MANY_HEADERS(null);

        private final String header;

        Part(String header) {
            this.header = header;
        }
    }

    private enum Alphabet {
        LETTERS("abcdefghijklmnopqrstuvwxyz"),
        ZEROS("0"),
        DIGITS("123456789"),
        NUL("\0"),
        LINE_BREAKS("\r\n"),
        EQUALS("="),
        /** So many that no index can compress them, as PostgreSQL does with repeated bytes. */
        IDEOGRAPHS(IntStream.range(0x4e00, 0x9fa5)
                .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
                .toString()),
        EMOJI("\ud83d\ude00\ud83d\ude80"),
        BRACKETS("["),
        QUOTES("\"\\"),
        NOT_UTF_8(null);

        private final int[] codePoints;

        Alphabet(String characters) {
            codePoints = characters == null ? null : characters.codePoints().toArray();
        }

        byte[] bytes(int length) {
            var random = new Random(length);
            if (codePoints == null) {
                var bytes = new byte[length];
                random.nextBytes(bytes);
                for (var i = 0; i < length; i++) {
                    bytes[i] |= (byte) 0x80;
                }
                return bytes;
            }
            var bytes = new ByteArrayOutputStream();
            while (bytes.size() < length) {
                bytes.writeBytes(Character.toString(codePoints[random.nextInt(codePoints.length)])
                        .getBytes(UTF_8));
            }
            return Arrays.copyOf(bytes.toByteArray(), length); // perhaps in the middle of a character
        }
    }

    private sealed interface Content {

        byte[] bytes();

        default List<Content> simpler() {
            return List.of();
        }

        record Missing() implements Content {
            @Override
            public byte[] bytes() {
                return null;
            }
        }

        record Literal(String text) implements Content {
            @Override
            public byte[] bytes() {
                return text.getBytes(UTF_8);
            }
        }

        record Filled(Alphabet alphabet, int length) implements Content {
            @Override
            public byte[] bytes() {
                return alphabet.bytes(length);
            }

            @Override
            public List<Content> simpler() {
                return Stream.of(
                                new Filled(alphabet, length / 2),
                                new Filled(alphabet, length - 1),
                                new Filled(Alphabet.LETTERS, length))
                        .filter(simpler -> simpler.length >= 0 && !simpler.equals(this))
                        .<Content>map(simpler -> simpler)
                        .toList();
            }
        }
    }

    private record Change(Part part, Content content) {}

    /** How a record differs from a valid one; not at all when it has no changes. */
    public record Recipe(List<Change> changes) {

        public static final Recipe VALID = new Recipe(List.of());

        public boolean changes(Part part) {
            return changes.stream().anyMatch(change -> change.part == part);
        }

        private List<Recipe> simpler() {
            var simpler = new ArrayList<Recipe>();
            for (var i = 0; i < changes.size(); i++) {
                var without = new ArrayList<>(changes);
                var change = without.remove(i);
                simpler.add(new Recipe(List.copyOf(without)));
                for (var content : change.content.simpler()) {
                    var with = new ArrayList<>(changes);
                    with.set(i, new Change(change.part, content));
                    simpler.add(new Recipe(List.copyOf(with)));
                }
            }
            return simpler;
        }
    }

    private final Random random;

    public RecordGenerator(long seed) {
        random = new Random(seed);
    }

    /** As many recipes, every third of them of a valid record. */
    public List<Recipe> batch(int size) {
        var batch = new ArrayList<Recipe>();
        while (batch.size() < size) {
            batch.add(batch.size() % 3 == 0 ? Recipe.VALID : recipe());
        }
        return batch;
    }

    /** As many recipes of records that stay JSON, under their key and headers. */
    public List<Recipe> fields(int size) {
        return Stream.generate(() -> new Recipe(List.of(new Change(Part.FIELD, content()))))
                .limit(size)
                .toList();
    }

    private Recipe recipe() {
        var changes = new ArrayList<Change>();
        do {
            changes.add(new Change(oneOf(Arrays.asList(Part.values())), content()));
        } while (random.nextInt(3) == 0);
        return new Recipe(List.copyOf(changes));
    }

    private Content content() {
        return switch (random.nextInt(8)) {
            case 0 -> new Content.Missing();
            case 1, 2 -> new Content.Literal(oneOf(NUMBERS));
            case 3 -> new Content.Literal(oneOf(NAMES));
            default -> {
                // The smaller of two: large records are slow, and their number matters less.
                var length = Math.min(random.nextInt(LENGTHS.length), random.nextInt(LENGTHS.length));
                yield new Content.Filled(oneOf(Arrays.asList(Alphabet.values())), LENGTHS[length]);
            }
        };
    }

    private <T> T oneOf(List<T> values) {
        return values.get(random.nextInt(values.size()));
    }

    /** A record by a recipe, as a consumer reads it. */
    public static ConsumerRecord<String, byte[]> make(
            Recipe recipe, ProducerRecord<String, byte[]> valid, TopicPartition partition, long offset) {
        var key = valid.key();
        var value = valid.value();
        for (var change : recipe.changes) {
            var bytes = change.content.bytes();
            switch (change.part) {
                case KEY -> key = bytes == null ? null : new String(bytes, UTF_8);
                case VALUE -> value = bytes;
                case FIELD -> value = withField(value, bytes);
                case HEADER_NAME ->
                    valid.headers().add(bytes == null ? "" : new String(bytes, UTF_8), new byte[] {'1'});
                case MANY_HEADERS -> {
                    for (var i = 0; i < 500; i++) {
                        valid.headers().add("x-" + i, bytes == null || bytes.length > 1000 ? null : bytes);
                    }
                }
                default -> {
                    valid.headers().remove(change.part.header);
                    if (bytes != null) {
                        valid.headers().add(change.part.header, bytes);
                    }
                }
            }
        }
        return new ConsumerRecord<>(
                partition.topic(),
                partition.partition(),
                offset,
                System.currentTimeMillis(),
                TimestampType.CREATE_TIME,
                ConsumerRecord.NULL_SIZE,
                ConsumerRecord.NULL_SIZE,
                key,
                value,
                valid.headers(),
                Optional.empty());
    }

    /** Replaces a field, which the content chooses, by a number if it is one, else by a text. */
    private static byte[] withField(byte[] value, byte[] content) {
        try {
            var json = JSON.readTree(value);
            var fields = new ArrayList<Map.Entry<ObjectNode, String>>();
            for (var parent : Stream.of("id", "sku")
                    .flatMap(name -> json.findParents(name).stream())
                    .toList()) {
                parent.fieldNames().forEachRemaining(name -> fields.add(Map.entry((ObjectNode) parent, name)));
            }
            if (fields.isEmpty()) {
                return value;
            }
            var text = content == null ? "" : new String(content, UTF_8);
            var field = fields.get(Math.floorMod(text.hashCode(), fields.size()));
            field.getKey()
                    .set(
                            field.getValue(),
                            text.matches("-?[1-9][0-9]{0,30}|0")
                                    ? JSON.getNodeFactory().numberNode(new BigInteger(text))
                                    : JSON.getNodeFactory().textNode(text));
            return JSON.writeValueAsBytes(json);
        } catch (IOException | IllegalArgumentException _) {
            return value; // which another change has made something else than an event
        }
    }

    /** The simplest batch that still fails, as far as some hundreds of attempts find it. */
    public static List<Recipe> shrink(List<Recipe> failing, Predicate<List<Recipe>> fails) {
        var attempts = 300;
        var simplest = failing;
        for (var simpler = simpler(simplest).iterator(); simpler.hasNext() && attempts > 0; attempts--) {
            var candidate = simpler.next();
            if (fails.test(candidate)) {
                simplest = candidate;
                simpler = simpler(simplest).iterator();
            }
        }
        return simplest;
    }

    /** Halves first, then all but one, then simpler records. */
    private static Stream<List<Recipe>> simpler(List<Recipe> batch) {
        var half = batch.size() / 2;
        var halves = batch.size() < 2
                ? Stream.<List<Recipe>>of()
                : Stream.of(batch.subList(0, half), batch.subList(half, batch.size()));
        Function<Integer, Stream<List<Recipe>>> replacements = i -> Stream.concat(
                batch.size() > 1 ? Stream.of(replaced(batch, i, null)) : Stream.of(),
                batch.get(i).simpler().stream().map(recipe -> replaced(batch, i, recipe)));
        return Stream.concat(
                halves, Stream.iterate(0, i -> i + 1).limit(batch.size()).flatMap(replacements));
    }

    private static List<Recipe> replaced(List<Recipe> batch, int index, Recipe recipe) {
        var replaced = new ArrayList<>(batch);
        if (recipe == null) {
            replaced.remove(index);
        } else {
            replaced.set(index, recipe);
        }
        return List.copyOf(replaced);
    }
}
