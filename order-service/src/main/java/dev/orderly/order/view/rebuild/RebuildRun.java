package dev.orderly.order.view.rebuild;

import static java.util.stream.Collectors.toMap;
import static java.util.stream.Collectors.toSet;

import dev.orderly.http.UuidParameter;
import dev.orderly.order.view.OrderViewUpdater;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;
import org.jboss.logging.Logger;

/**
 * Rebuilds the read model from the topic, while the old one is served and kept up to date, and swaps the two.
 * Readers notice nothing; the projection waits for the length of the last step.
 *
 * <ol>
 *   <li>The shadow tables get what is on the topic, by the same fold and the same guards as ever, but under a
 *       consumer group of its own, whose inbox is empty. A rebuild never reads ahead of the projection: what
 *       is in the new view, the projection must know not to apply again.
 *   <li>Orders whose first events the topic does not have are copied from the old view: they have expired, or
 *       the topic was made again.
 *   <li>The projection is locked out. What it has applied since, by the timelines of its orders, goes into
 *       the shadow; orders with parked events keep the row that their next events will be applied to; the
 *       tables swap names.
 * </ol>
 *
 * <p>Whatever fails before the last commit leaves the old view in place.
 */
final class RebuildRun {

    private static final Logger LOG = Logger.getLogger(RebuildRun.class);

    private static final Pattern UUID_KEY = Pattern.compile(UuidParameter.PATTERN);

    /** Events that are few enough to apply while the projection waits. */
    private static final int MAX_REMAINING = 1_000;

    /**
     * Events that the projection may be behind. The last step reads them into memory, and everybody who
     * waits for the view waits for them: a projection that far behind serves its readers best by going on.
     */
    private static final int MAX_LAG = 20_000;

    /** Each try waits for the lock no longer than the database role's timeout. */
    private static final int MAX_SWAP_TRIES = 20;

    interface ProgressListener {
        void update(long events, long of);
    }

    private final ShadowTables tables;
    private final TopicReader topic;
    private final OrderViewUpdater shadow;
    private final String projectionGroup;
    private final ProgressListener progress;
    private long applied;
    private long total;

    /** Orders with events since the missing ones were copied. */
    private final Set<UUID> since = new HashSet<>();

    /** Orders that were not copied then, because their first event might follow. */
    private final Set<UUID> unread = new HashSet<>();

    RebuildRun(
            ShadowTables tables,
            TopicReader topic,
            OrderViewUpdater shadow,
            String projectionGroup,
            ProgressListener progress) {
        this.tables = tables;
        this.topic = topic;
        this.shadow = shadow;
        this.projectionGroup = projectionGroup;
        this.progress = progress;
    }

    /** Returns the number of orders that were copied from the old view. */
    int run() throws SQLException {
        requireCaughtUp();
        tables.deleteRebuildState();
        tables.truncate();
        catchUp(this::apply);
        var read = topic.position();
        var ranges = topic.beginning().entrySet().stream()
                .map(beginning -> new ShadowTables.Range(
                        beginning.getKey().partition(), beginning.getValue(), read.get(beginning.getKey())))
                .toList();
        var missing = tables.copyMissing(ranges, this::ends);
        unread.addAll(missing.unread());
        // The copying takes time, in which the copied orders may have gone on.
        catchUp(records -> {
            apply(records);
            since.addAll(ordersOf(records));
        });
        requireCaughtUp();
        return missing.copied() + swap();
    }

    private Map<Integer, Long> ends() {
        return topic.end().entrySet().stream().collect(toMap(end -> end.getKey().partition(), Map.Entry::getValue));
    }

    /** Reads until the projection is hardly ahead. */
    private void catchUp(Consumer<List<ConsumerRecord<String, byte[]>>> sink) {
        Map<TopicPartition, Long> goal;
        do {
            goal = topic.committed();
            total = distance(topic.beginning(), goal);
            progress.update(applied, total);
            topic.readTo(goal, sink);
        } while (distance(goal, topic.committed()) > MAX_REMAINING);
    }

    private void requireCaughtUp() {
        var lag = distance(topic.committed(), topic.end());
        if (lag > MAX_LAG) {
            throw new IllegalStateException("the projection is " + lag + " events behind the topic, more than "
                    + MAX_LAG + ": rebuild the view when it has caught up");
        }
    }

    private static long distance(Map<TopicPartition, Long> from, Map<TopicPartition, Long> to) {
        return to.entrySet().stream()
                .mapToLong(partition -> Math.max(0, partition.getValue() - from.getOrDefault(partition.getKey(), 0L)))
                .sum();
    }

    private void apply(List<ConsumerRecord<String, byte[]>> records) {
        shadow.consume(records);
        applied += records.size();
        progress.update(applied, Math.max(total, applied));
    }

    private int swap() throws SQLException {
        var rest = new ArrayList<ConsumerRecord<String, byte[]>>();
        for (var left = MAX_SWAP_TRIES; ; left--) {
            try {
                return tables.inTransaction(() -> trySwap(rest));
            } catch (SQLException e) {
                if (left == 1) {
                    throw e;
                }
                LOG.infof("retrying to swap the views: %s", e.getMessage());
            }
        }
    }

    /** @param rest what earlier tries have read */
    private int trySwap(List<ConsumerRecord<String, byte[]>> rest) throws SQLException {
        tables.blockProjection();
        if (topic.hasGrown()) {
            throw new IllegalStateException("the topic has grown");
        }
        topic.readTo(topic.end(), rest::addAll);
        var orders = ordersOf(rest);
        apply(tables.appliedToLive(rest, orders));
        since.addAll(orders);
        var kept = new HashSet<>(tables.expired(since, topic.beginning()));
        kept.addAll(tables.notInShadow(unread));
        kept.addAll(tables.parked(projectionGroup, shadow.consumerGroup()));
        tables.copyFromLive(kept);
        tables.swapWithLive();
        return kept.size();
    }

    private static Set<UUID> ordersOf(List<ConsumerRecord<String, byte[]>> records) {
        return records.stream()
                .map(ConsumerRecord::key)
                .filter(key -> key != null && UUID_KEY.matcher(key).matches())
                .map(UUID::fromString)
                .collect(toSet());
    }
}
