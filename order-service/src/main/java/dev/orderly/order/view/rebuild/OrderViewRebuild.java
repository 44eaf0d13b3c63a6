package dev.orderly.order.view.rebuild;

import static dev.orderly.database.SqlArrays.column;

import dev.orderly.messaging.EventConsumer;
import dev.orderly.order.view.OrderViewUpdater;
import dev.orderly.order.view.OrderViewUpdater.Tables;
import io.quarkus.runtime.ShutdownEvent;
import io.smallrye.common.annotation.Identifier;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import javax.sql.DataSource;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.jboss.logging.Logger;

/**
 * Makes the read model again from the topic, while the old one is read and kept up to date, and then puts it in the old
 * one's place. Readers notice nothing; the projection waits for the length of the last step.
 *
 * <ol>
 *   <li>Into the shadow tables goes what is on the topic, by the same fold and under the same guards as ever, but under a
 *       consumer's name of its own, which nobody has seen anything under yet. It never reads what the projection has not
 *       read: what is in the new view, the projection must know not to apply again.
 *   <li>Orders whose beginning the topic has forgotten (its retention) are taken over as they are.
 *   <li>The projection is locked out. What it did since, as the timelines of its orders say, goes into the shadow; orders
 *       with parked events keep the row that their next events will be applied to; the tables change names.
 * </ol>
 *
 * <p>Whatever fails before the last commit leaves the old view in place.
 */
@ApplicationScoped
class OrderViewRebuild {

    private static final Logger LOG = Logger.getLogger(OrderViewRebuild.class);

    private static final String NAME = "order-view-rebuild-";

    /** Events of one transaction. */
    private static final int BATCH = 500;

    /** Orders that are copied by one statement. */
    private static final int CHUNK = 10_000;

    /** Events that are few enough to be left for the time in which the projection waits. */
    private static final int REST = 1_000;

    /** Tries to have the tables for itself; each waits no longer than the role may wait for a lock. */
    private static final int SWAPS = 20;

    private static final Duration POLL = Duration.ofMillis(100);

    private static final Pattern UUID_KEY = Pattern.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}");

    private static final String PARKED = """
            SELECT DISTINCT key::uuid FROM parked_event WHERE consumer IN (?, ?) AND key ~ '^%s$'
            """.formatted(UUID_KEY);

    private final EventConsumer eventConsumer;
    private final DataSource database;
    private final Clock clock;
    private final Map<String, Object> kafka;
    private final String topic;
    private final String projection;

    private volatile Status status = new Status(State.NEVER, null, null, 0, 0, 0, null);
    private volatile Thread worker;

    OrderViewRebuild(
            EventConsumer eventConsumer,
            DataSource database,
            Clock clock,
            @Identifier("default-kafka-broker") Map<String, Object> kafka,
            @ConfigProperty(name = "mp.messaging.incoming.order-view.topic") String topic,
            @ConfigProperty(name = "mp.messaging.incoming.order-view.group.id") String projection) {
        this.eventConsumer = eventConsumer;
        this.database = database;
        this.clock = clock;
        this.kafka = kafka;
        this.topic = topic;
        this.projection = projection;
    }

    enum State {
        NEVER,
        RUNNING,
        DONE,
        FAILED
    }

    /**
     * How far the last rebuild of this instance has come.
     *
     * @param events that were read, of so many that there are
     * @param kept orders that were taken over from the old view
     * @param problem why it failed
     */
    record Status(State state, Instant startedAt, Instant endedAt, long events, long of, int kept, String problem) {

        private Status outOf(long goal) {
            return new Status(state, startedAt, endedAt, events, goal, kept, problem);
        }

        private Status read(int more) {
            return new Status(state, startedAt, endedAt, events + more, Math.max(of, events + more), kept, problem);
        }

        private Status done(Instant at, int orders) {
            return new Status(State.DONE, startedAt, at, events, of, orders, null);
        }

        private Status failed(Instant at, String why) {
            return new Status(State.FAILED, startedAt, at, events, of, kept, why);
        }
    }

    Status status() {
        return status;
    }

    void stop(@Observes ShutdownEvent event) throws InterruptedException {
        var running = worker;
        if (running != null) {
            running.interrupt();
            running.join(Duration.ofSeconds(5));
        }
    }

    /** Starts a rebuild; false when this instance is at one already. */
    synchronized boolean start() {
        if (status.state == State.RUNNING) {
            return false;
        }
        status = new Status(State.RUNNING, clock.instant(), null, 0, 0, 0, null);
        worker = Thread.ofPlatform().name("order-view-rebuild").start(this::run);
        return true;
    }

    private void run() {
        try (var connection = database.getConnection()) {
            if (!ask(connection, "SELECT pg_try_advisory_lock(hashtextextended('" + NAME + "', 0))")) {
                throw new IllegalStateException("another instance is at it");
            }
            int kept;
            try (var run = new Run(connection, NAME + status.startedAt)) {
                kept = run.rebuild();
            } finally {
                forget(connection);
                ask(connection, "SELECT pg_advisory_unlock(hashtextextended('" + NAME + "', 0))");
            }
            status = status.done(clock.instant(), kept);
            LOG.infof("the view of orders is built again: %s", status);
        } catch (SQLException | RuntimeException e) {
            LOG.error("the view of orders could not be built again; the old one stays", e);
            status = status.failed(clock.instant(), e.getMessage());
        }
    }

    /** What earlier rebuilds noted for themselves, some at a time. */
    private static void forget(Connection connection) throws SQLException {
        var more = true;
        while (more) {
            more = ask(connection, "SELECT forget_order_view_rebuilds(50000)");
        }
    }

    private static boolean ask(Connection connection, String question) throws SQLException {
        try (var statement = connection.createStatement();
                var row = statement.executeQuery(question)) {
            row.next();
            return row.getBoolean(1);
        }
    }

    /** One rebuild. */
    private final class Run implements AutoCloseable {

        private final Connection connection;
        private final OrderViewUpdater shadow;
        private final KafkaConsumer<String, byte[]> consumer;
        private final List<TopicPartition> partitions;
        private final Map<TopicPartition, Long> beginning;
        private final Map<TopicPartition, Deque<ConsumerRecord<String, byte[]>>> fetched = new HashMap<>();

        /** Orders with events since those that the topic has forgotten were taken over. */
        private final Set<UUID> since = new HashSet<>();

        Run(Connection connection, String name) {
            this.connection = connection;
            this.shadow = new OrderViewUpdater(eventConsumer, name, Tables.SHADOW, database);
            var config = new HashMap<>(kafka);
            // The projection's group, to learn how far it has come: this consumer is no member and commits nothing.
            config.put("group.id", projection);
            config.put("client.id", NAME + "consumer");
            config.put("enable.auto.commit", false);
            // What is forgotten while it is being read would be missing.
            config.put("auto.offset.reset", "none");
            config.put("isolation.level", "read_committed");
            config.put("max.poll.records", BATCH);
            this.consumer = new KafkaConsumer<>(config, new StringDeserializer(), new ByteArrayDeserializer());
            this.partitions = consumer.partitionsFor(topic).stream()
                    .map(partition -> new TopicPartition(topic, partition.partition()))
                    .toList();
            this.beginning = consumer.beginningOffsets(partitions);
            partitions.forEach(partition -> fetched.put(partition, new ArrayDeque<>()));
        }

        @Override
        public void close() {
            consumer.close();
        }

        /** Returns the number of orders that were taken over. */
        int rebuild() throws SQLException {
            forget(connection);
            execute("SELECT empty_order_view_next()");
            consumer.assign(partitions);
            beginning.forEach(consumer::seek);
            catchUp(this::apply);
            var kept = takeOverForgotten();
            // That took its time, in which the orders taken over may have gone on.
            catchUp(records -> {
                apply(records);
                since.addAll(ordersOf(records));
            });
            return kept + swap();
        }

        /** Reads until the projection is hardly ahead. */
        private void catchUp(Consumer<List<ConsumerRecord<String, byte[]>>> sink) {
            Map<TopicPartition, Long> goal;
            do {
                goal = reachedByProjection();
                status = status.outOf(distance(beginning, goal));
                readTo(goal, sink);
            } while (distance(goal, reachedByProjection()) > REST);
        }

        private void apply(List<ConsumerRecord<String, byte[]>> records) {
            shadow.consume(records);
            status = status.read(records.size());
        }

        private Map<TopicPartition, Long> reachedByProjection() {
            var reached = new HashMap<TopicPartition, Long>();
            Map<TopicPartition, OffsetAndMetadata> committed = consumer.committed(Set.copyOf(partitions));
            committed.forEach((partition, offset) -> reached.put(partition, offset == null ? 0 : offset.offset()));
            return reached;
        }

        private static long distance(Map<TopicPartition, Long> from, Map<TopicPartition, Long> to) {
            return to.entrySet().stream()
                    .mapToLong(
                            partition -> Math.max(0, partition.getValue() - from.getOrDefault(partition.getKey(), 0L)))
                    .sum();
        }

        private void readTo(Map<TopicPartition, Long> goal, Consumer<List<ConsumerRecord<String, byte[]>>> sink) {
            while (partitions.stream().anyMatch(partition -> next(partition) < goal.get(partition))) {
                consumer.resume(partitions);
                consumer.pause(partitions.stream()
                        .filter(partition -> !fetched.get(partition).isEmpty())
                        .toList());
                consumer.poll(POLL)
                        .forEach(record -> fetched.get(new TopicPartition(record.topic(), record.partition()))
                                .add(record));
                sink.accept(takeOldest(goal));
            }
        }

        /** The offset of the next record that was not applied. */
        private long next(TopicPartition partition) {
            var waiting = fetched.get(partition);
            return waiting.isEmpty()
                    ? consumer.position(partition)
                    : waiting.getFirst().offset();
        }

        /**
         * In the order of time over all partitions: when the topic grew, an order may have gone on in another partition. So
         * it ends where a partition has to be asked first.
         */
        private List<ConsumerRecord<String, byte[]>> takeOldest(Map<TopicPartition, Long> goal) {
            var batch = new ArrayList<ConsumerRecord<String, byte[]>>();
            while (batch.size() < BATCH) {
                Deque<ConsumerRecord<String, byte[]>> oldest = null;
                for (var partition : partitions) {
                    var waiting = fetched.get(partition);
                    if (next(partition) >= goal.get(partition)) {
                        continue;
                    }
                    if (waiting.isEmpty()) {
                        return batch;
                    }
                    if (oldest == null
                            || waiting.getFirst().timestamp()
                                    < oldest.getFirst().timestamp()) {
                        oldest = waiting;
                    }
                }
                if (oldest == null) {
                    return batch;
                }
                batch.add(oldest.removeFirst());
            }
            return batch;
        }

        private int takeOverForgotten() throws SQLException {
            var kept = 0;
            var after = new UUID(0, 0);
            while (true) {
                var chunk = orders(
                        "SELECT order_id FROM order_view WHERE order_id > ? ORDER BY order_id LIMIT " + CHUNK, after);
                if (chunk.isEmpty()) {
                    return kept;
                }
                var forgotten = forgotten(chunk);
                takeOver(forgotten);
                kept += forgotten.size();
                after = chunk.getLast();
            }
        }

        /** Those of which the first event lies before the beginning of its partition. */
        private List<UUID> forgotten(Collection<UUID> orders) throws SQLException {
            return orders(
                    """
                    SELECT order_id FROM order_view_event event
                    JOIN unnest(?::int[], ?::bigint[]) AS topic (partition, beginning) USING (partition)
                    WHERE order_id = ANY (?) AND position = 1 AND "offset" < beginning
                    """,
                    column(partitions, TopicPartition::partition, Integer[]::new),
                    column(partitions, beginning::get, Long[]::new),
                    orders.toArray(UUID[]::new));
        }

        /** Puts the old rows of orders in the place of whatever the shadow has of them. */
        private void takeOver(Collection<UUID> orders) throws SQLException {
            for (var sql : List.of(
                    "DELETE FROM order_view_event_next WHERE order_id = ANY (?)",
                    "DELETE FROM order_view_next WHERE order_id = ANY (?)",
                    "INSERT INTO order_view_next SELECT * FROM order_view WHERE order_id = ANY (?)",
                    "INSERT INTO order_view_event_next SELECT * FROM order_view_event WHERE order_id = ANY (?)")) {
                try (var statement = connection.prepareStatement(sql)) {
                    statement.setObject(1, orders.toArray(UUID[]::new));
                    statement.executeUpdate();
                }
            }
        }

        private int swap() throws SQLException {
            connection.setAutoCommit(false);
            try {
                var rest = new ArrayList<ConsumerRecord<String, byte[]>>();
                for (var left = SWAPS; ; left--) {
                    try {
                        var kept = trySwap(rest);
                        connection.commit();
                        return kept;
                    } catch (SQLException e) {
                        connection.rollback();
                        if (left == 1) {
                            throw e;
                        }
                        LOG.infof("trying again to put the new view in the place of the old: %s", e.getMessage());
                    }
                }
            } finally {
                connection.setAutoCommit(true);
            }
        }

        /** @param rest what was read since the projection was last asked how far it is, by the tries before this one */
        private int trySwap(List<ConsumerRecord<String, byte[]>> rest) throws SQLException {
            // Readers read on; the projection, which begins each batch by locking rows, waits.
            execute("LOCK TABLE order_view IN EXCLUSIVE MODE");
            if (consumer.listTopics().get(topic).size() != partitions.size()) {
                throw new IllegalStateException("the topic has grown meanwhile");
            }
            readTo(consumer.endOffsets(partitions), rest::addAll);
            apply(appliedByProjection(rest));
            since.addAll(ordersOf(rest));
            var kept = new HashSet<>(forgotten(since));
            kept.addAll(orders(PARKED, projection, shadow.consumerGroup()));
            takeOver(kept);
            execute("SELECT swap_order_view()");
            return kept.size();
        }

        /** By the timelines: every event that is applied has its place on the topic there. */
        private List<ConsumerRecord<String, byte[]>> appliedByProjection(List<ConsumerRecord<String, byte[]>> records)
                throws SQLException {
            var applied = new HashSet<Place>();
            try (var select = connection.prepareStatement(
                    "SELECT partition, \"offset\" FROM order_view_event WHERE order_id = ANY (?)")) {
                select.setObject(1, ordersOf(records).toArray(UUID[]::new));
                try (var rows = select.executeQuery()) {
                    while (rows.next()) {
                        applied.add(new Place(rows.getInt(1), rows.getLong(2)));
                    }
                }
            }
            return records.stream()
                    .filter(record -> applied.contains(new Place(record.partition(), record.offset())))
                    .toList();
        }

        private record Place(int partition, long offset) {}

        private static Set<UUID> ordersOf(List<ConsumerRecord<String, byte[]>> records) {
            return records.stream()
                    .map(ConsumerRecord::key)
                    .filter(key -> key != null && UUID_KEY.matcher(key).matches())
                    .map(UUID::fromString)
                    .collect(Collectors.toSet());
        }

        private void execute(String sql) throws SQLException {
            try (var statement = connection.createStatement()) {
                statement.execute(sql);
            }
        }

        private List<UUID> orders(String sql, Object... parameters) throws SQLException {
            try (var select = connection.prepareStatement(sql)) {
                for (var i = 0; i < parameters.length; i++) {
                    select.setObject(i + 1, parameters[i]);
                }
                var orders = new ArrayList<UUID>();
                try (var rows = select.executeQuery()) {
                    while (rows.next()) {
                        orders.add(rows.getObject(1, UUID.class));
                    }
                }
                return orders;
            }
        }
    }
}
