package dev.orderly.lab.chaos.check;

import static dev.orderly.testkit.RunningPlatform.DATABASES;
import static dev.orderly.testkit.RunningPlatform.TOPIC;
import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.stream.Collectors.groupingBy;
import static java.util.stream.Collectors.mapping;
import static java.util.stream.Collectors.toSet;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.orderly.lab.chaos.fault.Disturbances;
import dev.orderly.lab.chaos.fault.PoisonRecord;
import dev.orderly.lab.chaos.fault.TimeSpan;
import dev.orderly.lab.chaos.workload.OperationHistory.Operation;
import dev.orderly.testkit.RunningPlatform;
import java.io.IOException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.UUID;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/** Reads a {@link SystemSnapshot} from the running system. */
public final class SnapshotReader {
    private static final JsonMapper JSON = new JsonMapper();

    private final RunningPlatform system;
    private final Duration orderDeadline;

    public SnapshotReader(RunningPlatform system, Duration orderDeadline) {
        this.system = system;
        this.orderDeadline = orderDeadline;
    }

    public SystemSnapshot read(
            SystemSnapshot.ClientHistory client,
            Disturbances disturbances,
            List<TimeSpan> outages,
            List<String> pendingWork)
            throws SQLException, IOException, InterruptedException {
        var kafka = kafka();
        var keys = new KeyHashes(client);
        var orders = orders(keys);
        // After the views were read, since a rebuild swaps them. Before quiescence the two differ without a
        // fault.
        var viewDifferences = pendingWork.isEmpty()
                ? ViewRebuildCheck.differences(system, system.url("order-service", "/"))
                : List.<String>of();
        var errors = LogScan.unexpectedErrors(
                system, kafka.poison(), !disturbances.lostSlots().isEmpty());
        var observations = new SystemSnapshot.Observations(
                viewDifferences, errors, PersonalDataScan.of(system), outages, pendingWork);
        return new SystemSnapshot(
                client,
                kafka,
                messaging(),
                orders,
                inventory(keys),
                payments(keys),
                notifications(),
                observations,
                disturbances);
    }

    private SystemSnapshot.KafkaLog kafka() {
        var events = new ArrayList<SystemSnapshot.TopicEvent>();
        var poison = new ArrayList<PoisonRecord.Injected>();
        TopicReader.readToEnd(
                system,
                TOPIC::equals,
                record -> PoisonRecord.in(record)
                        .ifPresentOrElse(
                                kind -> poison.add(
                                        new PoisonRecord.Injected(kind, record.partition(), record.offset())),
                                () -> events.add(event(record))));
        return new SystemSnapshot.KafkaLog(events, poison, TopicReader.offsetCommits(system));
    }

    private static SystemSnapshot.TopicEvent event(ConsumerRecord<byte[], byte[]> record) {
        return new SystemSnapshot.TopicEvent(
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

    private SystemSnapshot.Messaging messaging() throws SQLException, IOException {
        var outbox = new ArrayList<SystemSnapshot.OutboxRow>();
        var inbox = new ArrayList<InboxRow>();
        var parked = new ArrayList<SystemSnapshot.ParkedRow>();
        for (String database : DATABASES) {
            outbox.addAll(rows(SystemSnapshot.OutboxRow.class, database, """
                    SELECT current_database(), id, key, type, version FROM outbox WHERE topic = 'order-service'
                    """));
            inbox.addAll(rows(InboxRow.class, database, "SELECT consumer, event_id FROM inbox"));
            parked.addAll(rows(SystemSnapshot.ParkedRow.class, database, """
                    SELECT consumer, partition, "offset", key, reason FROM parked_event
                    """));
        }
        var seen = inbox.stream().collect(groupingBy(InboxRow::consumer, mapping(InboxRow::event, toSet())));
        return new SystemSnapshot.Messaging(outbox, seen, parked);
    }

    record InboxRow(String consumer, UUID event) {}

    /** The services store the hashes of keys alone; here are the keys that clients used, by their hashes. */
    private static final class KeyHashes {
        private final Map<String, String> keys = new HashMap<>();

        KeyHashes(SystemSnapshot.ClientHistory client) {
            client.operations().stream()
                    .map(Operation::key)
                    .filter(Objects::nonNull)
                    .forEach(key -> keys.put(hash(key), key));
        }

        /** The key of a hash; the hash itself when no client used it. */
        String key(String hash) {
            return keys.getOrDefault(hash, hash);
        }

        private static String hash(String key) {
            try {
                return HexFormat.of()
                        .formatHex(MessageDigest.getInstance("SHA-256").digest(key.getBytes(UTF_8)));
            } catch (NoSuchAlgorithmException e) {
                throw new IllegalStateException("every Java has SHA-256", e);
            }
        }
    }

    private SystemSnapshot.Orders orders(KeyHashes hashes) throws SQLException, IOException {
        var keys = rows(SystemSnapshot.KeyRow.class, "orders", """
                SELECT customer_id, encode(key_hash, 'hex'), order_id FROM order_key
                """);
        return new SystemSnapshot.Orders(
                rows(SystemSnapshot.OrderRow.class, "orders", """
                        SELECT id, customer_id, status, reason, total, version, lines, placed_at FROM orders
                        """),
                keys.stream()
                        .map(row -> new SystemSnapshot.KeyRow(row.customer(), hashes.key(row.key()), row.order()))
                        .toList(),
                rows(SystemSnapshot.ViewRow.class, "orders", """
                        SELECT order_id, status, reason, version, events FROM order_view
                        """),
                rows(SystemSnapshot.ViewEventRow.class, "orders", """
                        SELECT order_id, position, type, source, version, occurred_at FROM order_view_event
                        ORDER BY order_id, position
                        """),
                orderDeadline);
    }

    private SystemSnapshot.Inventory inventory(KeyHashes hashes) throws SQLException, IOException {
        var restocks = rows(SystemSnapshot.RestockRow.class, "inventory", """
                SELECT sku, encode(key, 'hex'), quantity FROM restock
                """);
        return new SystemSnapshot.Inventory(
                rows(SystemSnapshot.StockRow.class, "inventory", "SELECT sku, available, reserved, sold FROM stock"),
                rows(SystemSnapshot.ReservationRow.class, "inventory", "SELECT order_id, status FROM reservation"),
                restocks.stream()
                        .map(row -> new SystemSnapshot.RestockRow(row.sku(), hashes.key(row.key()), row.quantity()))
                        .toList());
    }

    private SystemSnapshot.Payments payments(KeyHashes hashes) throws SQLException, IOException, InterruptedException {
        var transfers = rows(SystemSnapshot.TransferRow.class, "payments", """
                SELECT kind, from_account, to_account, amount, order_id, encode(key_hash, 'hex') FROM transfer
                """);
        return new SystemSnapshot.Payments(
                transfers.stream()
                        .map(row -> new SystemSnapshot.TransferRow(
                                row.kind(), row.from(), row.to(), row.amount(), row.order(), hashes.key(row.key())))
                        .toList(),
                rows(SystemSnapshot.BalanceRow.class, "payments", "SELECT customer_id, amount FROM balance"),
                gatewayJournal());
    }

    private List<SystemSnapshot.JournalEntry> gatewayJournal() throws IOException, InterruptedException {
        var journal = system.askGateway("GET", "/log", null)
                .orElseThrow(() -> new IllegalStateException("the gateway does not return its journal"));
        var entries = new ArrayList<SystemSnapshot.JournalEntry>();
        for (String line : journal.lines().toList()) {
            var entry = JSON.readTree(line);
            String kind = entry.path("entry").asText();
            entries.add(new SystemSnapshot.JournalEntry(
                    entry.path("payment").asText(),
                    kind.equals("event") ? entry.path("type").asText() : kind));
        }
        return entries;
    }

    private SystemSnapshot.Notifications notifications() throws SQLException, IOException, InterruptedException {
        return new SystemSnapshot.Notifications(
                rows(
                        SystemSnapshot.MessageRow.class,
                        "notifications",
                        "SELECT reference_id, kind, state FROM notification"),
                mails());
    }

    /** Those that the mail sink still has: it loses all when it is killed. */
    private Set<String> mails() throws IOException, InterruptedException {
        var ids = new HashSet<String>();
        for (JsonNode user : mailSink("/api/user")) {
            for (JsonNode mail : mailSink("/api/user/" + user.path("login").asText() + "/messages")) {
                ids.add(mail.path("Message-ID").asText());
            }
        }
        return ids;
    }

    private JsonNode mailSink(String path) throws IOException, InterruptedException {
        var answer = system.ask("GET", system.mailApi(path), null);
        return answer.isPresent() ? JSON.readTree(answer.get()) : JSON.createArrayNode();
    }

    /** The columns of the query are the components of the record. */
    private <T extends Record> List<T> rows(Class<T> record, String database, String query)
            throws SQLException, IOException {
        try (var connection = system.connect(database)) {
            connection.setAutoCommit(false); // or the driver reads all rows at once
            try (var select = connection.createStatement()) {
                select.setFetchSize(10_000);
                var constructor = record.getDeclaredConstructors()[0];
                var result = new ArrayList<T>();
                try (var rows = select.executeQuery(query)) {
                    while (rows.next()) {
                        var values = new ArrayList<Object>();
                        for (var type : constructor.getParameterTypes()) {
                            values.add(value(rows, values.size() + 1, type));
                        }
                        result.add(record.cast(constructor.newInstance(values.toArray())));
                    }
                }
                return result;
            } catch (ReflectiveOperationException e) {
                throw new IllegalStateException(e);
            }
        }
    }

    private static Object value(ResultSet row, int column, Class<?> type) throws SQLException, IOException {
        return switch (type.getSimpleName()) {
            case "long" -> row.getLong(column);
            case "int" -> row.getInt(column);
            case "UUID" -> row.getObject(column, UUID.class);
            case "Instant" -> row.getTimestamp(column).toInstant();
            case "Map" -> quantities(row.getString(column));
            default -> row.getString(column);
        };
    }

    /** By SKU. */
    private static Map<String, Long> quantities(String lines) throws IOException {
        var quantities = new HashMap<String, Long>();
        for (JsonNode line : JSON.readTree(lines)) {
            quantities.merge(line.path("sku").asText(), line.path("quantity").asLong(), Long::sum);
        }
        return quantities;
    }
}
