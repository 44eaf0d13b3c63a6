//DEPS org.apache.kafka:kafka-clients:4.3.1
//DEPS org.xerial:sqlite-jdbc:3.53.4.0

import static java.nio.charset.StandardCharsets.UTF_8;

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.consumer.CommitFailedException;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.RebalanceInProgressException;
import org.apache.kafka.common.errors.WakeupException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.StringDeserializer;

/**
 * Follows orders with Kafka's own client, and counts each of their events once, however often it is
 * delivered.
 *
 * <pre>java -cp 'lib/*' OrderReader.java GROUP DATABASE</pre>
 *
 * DATABASE is a file of SQLite, which all members of GROUP share. Where the brokers are, and as whom to log
 * in, is in the environment, as {@code ./orderly env reader} prints it; without KAFKA_USER there is no login.
 * README.md says more.
 */
public final class OrderReader implements ConsumerRebalanceListener {

    private static final String TOPIC = "order-service";
    /** What this program was written for: docs/reference/messages.md. */
    private static final Set<String> TYPES = Set.of(
            "OrderPlaced",
            "StockReserved",
            "StockRejected",
            "PaymentCaptured",
            "PaymentDeclined",
            "OrderConfirmed",
            "OrderRejected",
            "OrderCancelled",
            "PaymentRefunded");

    private static final int SCHEMA = 2;

    private static final List<String> TABLES = List.of(
            "CREATE TABLE IF NOT EXISTS seen (event TEXT PRIMARY KEY, at INTEGER NOT NULL DEFAULT (unixepoch()))",
            "CREATE TABLE IF NOT EXISTS orders (id TEXT PRIMARY KEY, status TEXT NOT NULL, events INTEGER NOT NULL)",
            "CREATE TABLE IF NOT EXISTS skipped (type TEXT PRIMARY KEY, records INTEGER NOT NULL)",
            """
            CREATE TABLE IF NOT EXISTS parked (
                partition INTEGER, position INTEGER, reason TEXT NOT NULL, key BLOB, value BLOB,
                PRIMARY KEY (partition, position))""",
            // The topic keeps a week. An event is not delivered again after a month: its id is not needed.
            "DELETE FROM seen WHERE at < unixepoch() - 30 * 86400");

    /** SQLite reads JSON too: one library less. No row when it is not an order with a status. */
    private static final String JSON =
            """
            SELECT value ->> 'id', value ->> 'status' FROM (SELECT ? AS value)
            WHERE CASE WHEN json_valid(value) THEN json_type(value, '$.status') = 'text' END""";
    /** An order that is decided stays so, whatever is reported later. */
    private static final String ORDER =
            """
            INSERT INTO orders (id, status, events) VALUES (?, ?, 1) ON CONFLICT (id) DO UPDATE SET
                status = CASE WHEN status IN ('CONFIRMED', 'REJECTED', 'CANCELLED') THEN status
                    ELSE excluded.status END,
                events = events + 1""";

    private static final String LOGIN =
            "org.apache.kafka.common.security.scram.ScramLoginModule required username=\"%s\" password=\"%s\";";

    private final Connection db;
    private final PreparedStatement seen;
    private final PreparedStatement json;
    private final PreparedStatement order;
    private final PreparedStatement skipped;
    private final PreparedStatement parked;

    private volatile boolean stopping;

    private OrderReader(Connection db) throws SQLException {
        this.db = db;
        try (var statement = db.createStatement()) {
            for (var table : TABLES) {
                statement.executeUpdate(table);
            }
        }
        db.setAutoCommit(false);
        seen = db.prepareStatement("INSERT INTO seen (event) VALUES (?) ON CONFLICT DO NOTHING");
        json = db.prepareStatement(JSON);
        order = db.prepareStatement(ORDER);
        skipped = db.prepareStatement(
                "INSERT INTO skipped VALUES (?, 1) ON CONFLICT DO UPDATE SET records = records + 1");
        parked = db.prepareStatement("INSERT INTO parked VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING");
    }

    public static void main(String[] args) throws SQLException {
        if (args.length != 2) {
            System.err.println("OrderReader.java GROUP DATABASE");
            System.exit(1);
        }
        var url = "jdbc:sqlite:" + args[1] + "?journal_mode=WAL&busy_timeout=5000";
        // The consumer is closed first, and leaves the group: others get the partitions now, and not after
        // session.timeout.ms.
        try (var db = DriverManager.getConnection(url);
                var consumer = new KafkaConsumer<>(
                        settings(args[0]), new StringDeserializer(), new ByteArrayDeserializer())) {
            new OrderReader(db).run(consumer);
        }
        System.out.println("stopped");
    }

    private static Map<String, Object> settings(String group) {
        var settings = new HashMap<String, Object>(Map.of(
                "bootstrap.servers", System.getenv("KAFKA_BOOTSTRAP_SERVERS"),
                "group.id", group,
                "auto.offset.reset", "earliest",
                "enable.auto.commit", false,
                "session.timeout.ms", 10_000,
                // A rebalance takes from a member only the partitions that move; it reads the others on.
                "partition.assignment.strategy", "org.apache.kafka.clients.consumer.CooperativeStickyAssignor"));
        var user = System.getenv("KAFKA_USER");
        if (user != null) {
            settings.put("security.protocol", System.getenv("KAFKA_SECURITY_PROTOCOL"));
            settings.put("sasl.mechanism", "SCRAM-SHA-512");
            settings.put("sasl.jaas.config", LOGIN.formatted(user, System.getenv("KAFKA_PASSWORD")));
        }
        return settings;
    }

    /** Until a signal comes. A failure ends it: what was not committed is delivered again. */
    private void run(KafkaConsumer<String, byte[]> consumer) throws SQLException {
        var running = Thread.currentThread();
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            stopping = true;
            consumer.wakeup();
            try {
                running.join();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }));
        consumer.subscribe(List.of(TOPIC), this);
        try {
            while (!stopping) {
                var batch = consumer.poll(Duration.ofMillis(500));
                if (batch.isEmpty()) {
                    continue;
                }
                for (var record : batch) {
                    apply(record);
                }
                db.commit(); // one transaction for the batch, on disk when this returns
                try {
                    consumer.commitSync();
                } catch (CommitFailedException | RebalanceInProgressException e) {
                    // The partitions are another's by now, who finds in seen what is done.
                    System.out.println("not committed: rebalanced");
                }
            }
        } catch (WakeupException e) {
            // What is done but not committed is found in seen.
        }
    }

    /** In the open transaction: that the event was seen is stored together with what follows from it. */
    private void apply(ConsumerRecord<String, byte[]> record) throws SQLException {
        var type = header(record, "type", "");
        var event = header(record, "id", null);
        if (!TYPES.contains(type)) { // by a newer writer, and none of our business; not even its value is looked at
            if (isNew(event == null ? TOPIC + "-" + record.partition() + "@" + record.offset() : event)) {
                update(skipped, type);
            }
            return;
        }
        String status;
        try {
            status = status(record, event);
        } catch (UnreadableException e) { // put aside: it would fail again, and stop all behind it
            update(parked, record.partition(), record.offset(), e.getMessage(), record.key(), record.value());
            return;
        }
        if (isNew(event)) {
            update(order, record.key(), status);
        }
    }

    private String status(ConsumerRecord<String, byte[]> record, String event)
            throws SQLException, UnreadableException {
        if (event == null) {
            throw new UnreadableException("header id is missing");
        }
        var schema = header(record, "schema", "1");
        if (!schema.matches("[0-9]{1,9}") || Integer.parseInt(schema) > SCHEMA) {
            throw new UnreadableException("schema " + schema + " is newer than " + SCHEMA);
        }
        json.setString(1, record.value() == null ? null : new String(record.value(), UTF_8));
        try (var row = json.executeQuery()) {
            if (!row.next()) {
                throw new UnreadableException("not an order with a status");
            }
            if (record.key() == null || !record.key().equals(row.getString(1))) {
                throw new UnreadableException("the key is not the id");
            }
            return row.getString(2);
        }
    }

    private static final class UnreadableException extends Exception {
        private static final long serialVersionUID = 1;

        UnreadableException(String message) {
            super(message);
        }
    }

    private boolean isNew(String event) throws SQLException {
        return update(seen, event) == 1;
    }

    private static int update(PreparedStatement statement, Object... values) throws SQLException {
        for (int i = 0; i < values.length; i++) {
            statement.setObject(i + 1, values[i]);
        }
        return statement.executeUpdate();
    }

    private static String header(ConsumerRecord<?, ?> record, String name, String otherwise) {
        var header = record.headers().lastHeader(name);
        return header == null || header.value() == null ? otherwise : new String(header.value(), UTF_8);
    }

    /** There is nothing to hand over: it comes within poll, when all that was read is stored. */
    @Override
    public void onPartitionsRevoked(Collection<TopicPartition> revoked) {
        System.out.println("revoked " + revoked);
    }

    @Override
    public void onPartitionsAssigned(Collection<TopicPartition> assigned) {
        System.out.println("assigned " + assigned);
    }
}
