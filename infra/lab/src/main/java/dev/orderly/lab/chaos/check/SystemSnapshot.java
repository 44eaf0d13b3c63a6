package dev.orderly.lab.chaos.check;

import static dev.orderly.testkit.RunningPlatform.TOPIC;
import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.orderly.lab.chaos.fault.ConsumerPosition;
import dev.orderly.lab.chaos.fault.PoisonRecord;
import dev.orderly.lab.chaos.fault.TimeSpan;
import dev.orderly.lab.chaos.workload.OperationHistory.Operation;
import dev.orderly.lab.chaos.workload.TestPerson;
import dev.orderly.testkit.RunningPlatform;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/**
 * All there is to see when everything is quiet again: what the client was told, every row of every database, every record of
 * the topic from its beginning, and what the services complained of. Checkers are functions of this and of nothing else.
 *
 * @param inbox the events that each consumer group has seen
 * @param rebuilt orders of which a read model built again from the topic said something else than the one kept up to date
 * @param gateway the payment gateway's own log of what it did
 * @param commits how far the groups said they had read, from Kafka's own log of it, in its order
 * @param rewinds what groups were set back to by us
 * @param traces of people who registered
 * @param deadline that an order has to be decided
 * @param load when customers came
 * @param away when the service that keeps to that deadline could not: it was not there at some time in each, and there at its ends
 * @param dark when everything was off, by a power cut, until the launcher had it all up again
 * @param lostSlots the databases whose replication slot was taken away by us
 * @param unquiet what had still not come to rest at the deadline; empty when all had
 */
public record SystemSnapshot(
        List<Operation> operations,
        List<Event> topic,
        List<OutboxRow> outbox,
        Map<String, Set<UUID>> inbox,
        List<Parked> parked,
        List<PoisonRecord.Injected> poison,
        List<Order> orders,
        List<Key> keys,
        List<View> views,
        List<Entry> entries,
        List<Stock> stock,
        List<Reservation> reservations,
        List<Transfer> transfers,
        List<Balance> balances,
        List<Letter> letters,
        Set<String> mails,
        List<String> rebuilt,
        List<GatewayEntry> gateway,
        List<String> complaints,
        List<Commit> commits,
        Set<ConsumerPosition> rewinds,
        List<Trace> traces,
        Duration deadline,
        TimeSpan load,
        List<TimeSpan> away,
        List<TimeSpan> dark,
        Set<String> lostSlots,
        List<String> unquiet) {

    /** A record of the topic that is not poison, in the order of its partition. */
    public record Event(int partition, long offset, String order, UUID id, String type, String source, int version) {}

    record OutboxRow(String database, UUID id, String order, String type, int version) {}

    record Parked(String consumer, int partition, long offset, String key, String reason) {}

    public record Order(
            String id,
            String customer,
            String status,
            String reason,
            long total,
            int version,
            Map<String, Long> lines,
            Instant placedAt) {
        boolean terminal() {
            return Set.of("CONFIRMED", "REJECTED", "CANCELLED").contains(status);
        }
    }

    record Key(String customer, String key, String order) {}

    record View(String order, String status, String reason, int version, int events) {}

    public record Entry(String order, int position, String type, String source, int version, Instant occurredAt) {}

    record Stock(String sku, long available, long reserved, long sold) {}

    record Reservation(String order, String status) {}

    public record Transfer(String kind, String from, String to, long amount, String order, String key) {}

    record Balance(String customer, long amount) {}

    /** @param what happened: payment.succeeded, payment.refunded …, or "acceptedForgery", of a forged callback that was acknowledged */
    record GatewayEntry(String order, String what) {}

    /** @param about an order, or a person or one of their codes */
    public record Letter(String about, String kind, String state) {
        boolean aboutAnOrder() {
            return Set.of("CONFIRMED", "REJECTED", "CANCELLED").contains(kind);
        }
    }

    /** @param generation of the group when Kafka took note: another after each rebalance */
    record Commit(ConsumerPosition position, int generation) {}

    /** Someone's name, mail or phone, and where it was found: "table orders.customer", "topic …", "log of …". */
    record Trace(String place, TestPerson person) {}

    /** Why an order is cancelled that nobody has decided by its deadline. */
    public static final String GIVEN_UP = "not decided in time";

    private static final JsonMapper JSON = new JsonMapper();
    private static final Duration SILENCE = Duration.ofSeconds(5);

    /** What a service may complain of while its surroundings are taken away, or it is fed poison; all else is a violation. */
    private static final Pattern EXPECTED_COMPLAINTS = Pattern.compile(String.join(
            "|",
            "\\[org\\.apache\\.kafka|\\[io\\.smallrye\\.reactive\\.messaging", // brokers were away
            "SQLException|PSQLException|\\[io\\.agroal|\\[com\\.arjuna|ARJUNA", // the database was
            "ClosedChannelException|HttpClosedException|Connection reset|Broken pipe", // the client was
            // a framework that was asked to stop, while what it would wait for hangs; of our own code all is a
            // violation still
            "\\[io\\.quarkus\\..*\\[Error Occurred After Shutdown\\]"));

    /** What only a lost slot explains, and only until it is healed. */
    private static final Pattern LOST =
            Pattern.compile("EventConsumer.* events are missing before |OutboxAuditor.* never reached their topic");

    private static final Pattern PARKING = Pattern.compile("EventConsumer.* parking \\S+-(\\d+)@(\\d+)");

    /** What a database says to statements that are wrong, whatever else goes wrong. */
    private static final Pattern MISTAKE = Pattern.compile(
            "ERROR: .*( violates |syntax error|permission denied|(column|relation|function) .* does not exist)");

    private static final Pattern CRASH = Pattern.compile(
            "PANIC: |was terminated by signal (?!9:)|Terminating due to java\\.lang\\.OutOfMemoryError|fatal error has been detected");

    private static final Pattern ENTRY = Pattern.compile("^\\d{4}-\\d\\d-\\d\\d \\S+ +(\\S+)");

    public static SystemSnapshot of(
            RunningPlatform system,
            List<Operation> operations,
            Set<ConsumerPosition> rewinds,
            Set<String> lostSlots,
            Duration deadline,
            TimeSpan load,
            List<TimeSpan> away,
            List<TimeSpan> dark,
            List<String> unquiet)
            throws SQLException, IOException, InterruptedException {
        var outbox = new ArrayList<OutboxRow>();
        var inbox = new HashMap<String, Set<UUID>>();
        var parked = new ArrayList<Parked>();
        var events = new ArrayList<Event>();
        var poison = new ArrayList<PoisonRecord.Injected>();
        readToTheEnd(
                system,
                TOPIC::equals,
                record -> PoisonRecord.in(record)
                        .ifPresentOrElse(
                                kind -> poison.add(
                                        new PoisonRecord.Injected(kind, record.partition(), record.offset())),
                                () -> events.add(event(record))));
        for (String database : RunningPlatform.DATABASES) {
            outbox.addAll(rows(
                    system,
                    database,
                    "SELECT id, key, type, version FROM outbox WHERE topic = '" + TOPIC + "'",
                    row -> new OutboxRow(database, uuid(row, 1), row.getString(2), row.getString(3), row.getInt(4))));
            rows(
                    system,
                    database,
                    "SELECT consumer, event_id FROM inbox",
                    row -> inbox.computeIfAbsent(row.getString(1), _ -> new HashSet<>())
                            .add(uuid(row, 2)));
            parked.addAll(rows(
                    system,
                    database,
                    "SELECT consumer, partition, \"offset\", key, reason FROM parked_event",
                    row -> new Parked(
                            row.getString(1), row.getInt(2), row.getLong(3), row.getString(4), row.getString(5))));
        }
        return new SystemSnapshot(
                operations,
                events,
                outbox,
                inbox,
                parked,
                poison,
                rows(
                        system,
                        "orders",
                        "SELECT id, customer_id, status, reason, total, version, lines, placed_at FROM orders",
                        row -> new Order(
                                row.getString(1),
                                row.getString(2),
                                row.getString(3),
                                row.getString(4),
                                row.getLong(5),
                                row.getInt(6),
                                lines(row.getString(7)),
                                row.getTimestamp(8).toInstant())),
                rows(
                        system,
                        "orders",
                        "SELECT customer_id, key, order_id FROM idempotency_key",
                        row -> new Key(row.getString(1), row.getString(2), row.getString(3))),
                rows(
                        system,
                        "orders",
                        "SELECT order_id, status, reason, version, events FROM order_view",
                        row -> new View(
                                row.getString(1), row.getString(2), row.getString(3), row.getInt(4), row.getInt(5))),
                rows(
                        system,
                        "orders",
                        "SELECT order_id, position, type, source, version, occurred_at FROM order_view_event"
                                + " ORDER BY order_id, position",
                        row -> new Entry(
                                row.getString(1),
                                row.getInt(2),
                                row.getString(3),
                                row.getString(4),
                                row.getInt(5),
                                row.getTimestamp(6).toInstant())),
                rows(
                        system,
                        "inventory",
                        "SELECT sku, available, reserved, sold FROM stock",
                        row -> new Stock(row.getString(1), row.getLong(2), row.getLong(3), row.getLong(4))),
                rows(
                        system,
                        "inventory",
                        "SELECT order_id, status FROM reservation",
                        row -> new Reservation(row.getString(1), row.getString(2))),
                rows(
                        system,
                        "payments",
                        "SELECT kind, from_account, to_account, amount, order_id, idempotency_key FROM transfer",
                        row -> new Transfer(
                                row.getString(1),
                                row.getString(2),
                                row.getString(3),
                                row.getLong(4),
                                row.getString(5),
                                row.getString(6))),
                rows(
                        system,
                        "payments",
                        "SELECT customer_id, amount FROM balance",
                        row -> new Balance(row.getString(1), row.getLong(2))),
                rows(
                        system,
                        "notifications",
                        "SELECT about, kind, state FROM notification",
                        row -> new Letter(row.getString(1), row.getString(2), row.getString(3))),
                mails(system),
                // After the views above were read, for it exchanges them. While there is more to come the two differ
                // for no
                // reason of theirs.
                unquiet.isEmpty() ? ViewRebuildCheck.differences(system) : List.of(),
                gateway(system),
                complaints(system, poison, !lostSlots.isEmpty()),
                commits(system),
                rewinds,
                PersonalDataScan.of(system),
                deadline,
                load,
                away,
                dark,
                lostSlots,
                unquiet);
    }

    private interface RowReader<T> {
        T read(ResultSet row) throws SQLException, IOException;
    }

    private static <T> List<T> rows(RunningPlatform system, String database, String query, RowReader<T> reader)
            throws SQLException, IOException {
        try (var connection = system.connect(database)) {
            connection.setAutoCommit(false); // else the driver reads all rows at once
            try (var select = connection.createStatement()) {
                select.setFetchSize(10_000);
                var result = new ArrayList<T>();
                try (var rows = select.executeQuery(query)) {
                    while (rows.next()) {
                        result.add(reader.read(rows));
                    }
                }
                return result;
            }
        }
    }

    private static UUID uuid(ResultSet row, int column) throws SQLException {
        return row.getObject(column, UUID.class);
    }

    private static Map<String, Long> lines(String json) throws IOException {
        var lines = new HashMap<String, Long>();
        for (JsonNode line : JSON.readTree(json)) {
            lines.merge(line.path("sku").asText(), line.path("quantity").asLong(), Long::sum);
        }
        return lines;
    }

    /** Every commit, not only the last of each group, as long as Kafka has not compacted them. */
    private static List<Commit> commits(RunningPlatform system) {
        var commits = new ArrayList<Commit>();
        var generations = new HashMap<String, Integer>();
        readToTheEnd(system, topic -> topic.equals("__consumer_offsets"), record -> {
            if (record.value() == null) {
                return; // what has expired
            }
            // All versions of a value begin alike.
            var key = ByteBuffer.wrap(record.key());
            var value = ByteBuffer.wrap(record.value()).position(Short.BYTES);
            switch (key.getShort()) {
                case 0, 1 -> {
                    var group = string(key);
                    var partition = new TopicPartition(string(key), key.getInt());
                    var position = new ConsumerPosition(group, partition, value.getLong());
                    commits.add(new Commit(position, generations.getOrDefault(group, 0)));
                }
                case 2 -> {
                    string(value); // the kind of group
                    generations.put(string(key), value.getInt());
                }
                default -> {} // of groups of a kind that we have none of
            }
        });
        return commits;
    }

    private static String string(ByteBuffer buffer) {
        var bytes = new byte[buffer.getShort()];
        buffer.get(bytes);
        return new String(bytes, UTF_8);
    }

    /** Each partition in its order, from its beginning to the end that it has now. */
    static void readToTheEnd(
            RunningPlatform system, Predicate<String> topics, Consumer<ConsumerRecord<byte[], byte[]>> reader) {
        try (var consumer = new KafkaConsumer<>(
                Map.<String, Object>of("bootstrap.servers", system.bootstrapServers(), "max.poll.records", 5000),
                new ByteArrayDeserializer(),
                new ByteArrayDeserializer())) {
            var partitions = consumer.listTopics().entrySet().stream()
                    .filter(topic -> topics.test(topic.getKey()))
                    .flatMap(topic -> topic.getValue().stream())
                    .map(info -> new TopicPartition(info.topic(), info.partition()))
                    .toList();
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            var ends = consumer.endOffsets(partitions);
            long deadline = System.nanoTime() + SILENCE.toNanos();
            while (partitions.stream().anyMatch(p -> consumer.position(p) < ends.get(p))) {
                var records = consumer.poll(Duration.ofMillis(500));
                records.forEach(reader);
                deadline = records.isEmpty() ? deadline : System.nanoTime() + SILENCE.toNanos();
                if (System.nanoTime() > deadline) {
                    throw new IllegalStateException("the topics cannot be read to their ends");
                }
            }
        }
    }

    private static Event event(ConsumerRecord<byte[], byte[]> record) {
        return new Event(
                record.partition(),
                record.offset(),
                new String(record.key(), UTF_8),
                UUID.fromString(header(record, "id")),
                header(record, "type"),
                header(record, "source"),
                Integer.parseInt(header(record, "version")));
    }

    private static String header(ConsumerRecord<byte[], byte[]> record, String name) {
        return new String(record.headers().lastHeader(name).value(), UTF_8);
    }

    private static List<GatewayEntry> gateway(RunningPlatform system) throws IOException, InterruptedException {
        var journal = system.askGateway("GET", "/log", null)
                .orElseThrow(() -> new IllegalStateException("the gateway does not show its log"));
        var entries = new ArrayList<GatewayEntry>();
        for (String text : (Iterable<String>) journal.lines()::iterator) {
            var line = JSON.readTree(text);
            String entry = line.path("entry").asText();
            entries.add(new GatewayEntry(
                    line.path("payment").asText(),
                    entry.equals("event") ? line.path("type").asText() : entry));
        }
        return entries;
    }

    /** The Message-IDs that the mail sink still has; it forgets when it is killed. */
    private static Set<String> mails(RunningPlatform system) throws IOException, InterruptedException {
        var ids = new HashSet<String>();
        for (JsonNode user : json(system, "/api/user")) {
            for (JsonNode mail : json(system, "/api/user/" + user.path("login").asText() + "/messages")) {
                ids.add(mail.path("Message-ID").asText());
            }
        }
        return ids;
    }

    private static JsonNode json(RunningPlatform system, String path) throws IOException, InterruptedException {
        Optional<String> answer = system.ask("GET", system.mailApi(path), null);
        return answer.isPresent() ? JSON.readTree(answer.get()) : JSON.createArrayNode();
    }

    /** The first lines of the entries of the logs by which parts complain of what no fault of ours explains. */
    private static List<String> complaints(
            RunningPlatform system, List<PoisonRecord.Injected> poison, boolean slotsWereLost)
            throws IOException, InterruptedException {
        var complaints = new ArrayList<String>();
        for (String part : system.logged()) {
            var log = system.log(part);
            if (RunningPlatform.SERVICES.stream().anyMatch(part::startsWith)) { // or a second instance
                unexpected(log, poison, slotsWereLost).forEach(line -> complaints.add(part + ": " + line));
            }
            crashes(log).forEach(line -> complaints.add(part + ": " + line));
        }
        return complaints;
    }

    /** Deaths of processes that no fault explains: those end them in order, or kill them (signal 9). */
    static List<String> crashes(List<String> log) {
        return log.stream().filter(line -> CRASH.matcher(line).find()).toList();
    }

    /** An entry is excused by any of its lines: the first names the symptom, the last the cause. A mistake is never excused. */
    static List<String> unexpected(List<String> log, List<PoisonRecord.Injected> poison, boolean slotsWereLost) {
        var unexpected = new ArrayList<String>();
        String error = null;
        boolean excused = false;
        boolean mistake = false;
        for (String line : log) {
            var entry = ENTRY.matcher(line);
            if (entry.find()) {
                if (error != null && (mistake || !excused)) {
                    unexpected.add(error);
                }
                error = Set.of("ERROR", "FATAL").contains(entry.group(1)) ? line : null;
                excused = false;
                mistake = false;
            }
            excused |= EXPECTED_COMPLAINTS.matcher(line).find()
                    || slotsWereLost && LOST.matcher(line).find()
                    || isAbout(poison, line);
            mistake |= MISTAKE.matcher(line).find();
        }
        if (error != null && (mistake || !excused)) {
            unexpected.add(error);
        }
        return unexpected;
    }

    private static boolean isAbout(List<PoisonRecord.Injected> poison, String line) {
        var parking = PARKING.matcher(line);
        return parking.find()
                && poison.stream()
                        .anyMatch(injected -> injected.partition() == Integer.parseInt(parking.group(1))
                                && injected.offset() == Long.parseLong(parking.group(2)));
    }
}
