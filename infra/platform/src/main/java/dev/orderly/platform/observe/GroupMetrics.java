package dev.orderly.platform.observe;

import dev.orderly.platform.config.Certificates;
import dev.orderly.platform.config.CommandFailedException;
import dev.orderly.platform.kafka.ConsumerGroups;
import dev.orderly.platform.kafka.ConsumerGroups.Group;
import dev.orderly.platform.kafka.ConsumerGroups.Position;
import io.prometheus.metrics.core.metrics.Gauge;
import io.prometheus.metrics.core.metrics.GaugeWithCallback;
import io.prometheus.metrics.exporter.httpserver.HTTPServer;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;
import org.apache.kafka.common.TopicPartition;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How far the services' consumer groups are, as the brokers see it. A service could report its own lag, but
 * not while it is dead, which is when the lag matters. Also the space on the disk of the state directory, and
 * how long certificates are valid.
 */
public final class GroupMetrics implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(GroupMetrics.class);
    private static final Duration INTERVAL = Duration.ofSeconds(5);
    /** Half an hour: a lag of more seconds is reported as this many. */
    private static final int MAX_SAMPLES = 360;

    private final ConsumerGroups groups;
    private final PrometheusRegistry registry = new PrometheusRegistry();
    private final HTTPServer server;
    private final Map<TopicPartition, TreeMap<Long, Instant>> ends = new HashMap<>();
    private final Thread sampler;
    private volatile Instant sampledAt = Instant.now();

    private final Gauge members = gauge("orderly_group_members", "Consumers that are in the group", "group");
    private final Gauge lag = ofPartition("orderly_group_lag_records", "Records that the group has not committed");
    private final Gauge lagSeconds =
            ofPartition("orderly_group_lag_seconds", "How long ago the oldest of them was written, to within seconds");
    private final Gauge committed = ofPartition("orderly_group_committed_offset", "The next record of the group");

    /**
     * Serves them until it is closed.
     *
     * @param groups closed with this
     * @param certificates those that are there, of whom they may be
     * @param data on the disk whose space is reported; none in a container, which sees no disk but its own
     */
    public GroupMetrics(ConsumerGroups groups, Certificates certificates, Optional<Path> data, String host, int port) {
        this.groups = groups;
        GaugeWithCallback.builder()
                .name("orderly_certificate_expiry_timestamp_seconds")
                .help("When the certificate of a server or client ends")
                .labelNames("holder")
                .callback(gauge ->
                        certificates.expiries().forEach((holder, end) -> gauge.call(end.getEpochSecond(), holder)))
                .register(registry);
        callback(
                "orderly_groups_age_seconds",
                "How old the numbers of the groups are",
                () -> Duration.between(sampledAt, Instant.now()).toMillis() / 1000.0);
        data.ifPresent(folder -> callback(
                "orderly_disk_free_bytes",
                "On the disk of the state directory",
                () -> folder.toFile().getUsableSpace()));
        try {
            server = HTTPServer.builder()
                    .hostname(host)
                    .port(port)
                    .registry(registry)
                    .buildAndStart();
        } catch (IOException e) {
            throw new CommandFailedException("cannot listen on port " + port + ": " + e.getMessage(), e);
        }
        sampler = Thread.ofVirtual().name("group-metrics").start(this::sampleUntilClosed);
    }

    private interface Number {
        double now();
    }

    private void callback(String name, String help, Number number) {
        GaugeWithCallback.builder()
                .name(name)
                .help(help)
                .callback(gauge -> gauge.call(number.now()))
                .register(registry);
    }

    private Gauge gauge(String name, String help, String... labels) {
        return Gauge.builder().name(name).help(help).labelNames(labels).register(registry);
    }

    private Gauge ofPartition(String name, String help) {
        return gauge(name, help, "group", "topic", "partition");
    }

    private void sampleUntilClosed() {
        try {
            while (true) {
                sample();
                TimeUnit.MILLISECONDS.sleep(INTERVAL.toMillis());
            }
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    private void sample() throws InterruptedException {
        List<Group> listed;
        try {
            listed = groups.list();
        } catch (CommandFailedException e) {
            // What is not known is not reported: the numbers of before would look like those of now.
            List.of(members, lag, lagSeconds, committed).forEach(Gauge::clear);
            LOG.info("no metrics of groups: {}", e.getMessage());
            return;
        }
        var now = Instant.now();
        var positions = new HashMap<String, List<Position>>();
        var membersOf = listed.stream().collect(Collectors.toMap(Group::name, Group::members));
        for (var group : listed) {
            if (groups.ofServices().contains(group.name())) {
                positions.put(group.name(), group.positions());
                group.positions().forEach(position -> remember(position, now));
            }
        }
        groups.ofServices().forEach(group -> members.labelValues(group).set(membersOf.getOrDefault(group, 0)));
        set(lag, positions, Position::lag);
        set(committed, positions, Position::committed);
        set(lagSeconds, positions, position -> secondsBehind(position, now));
        sampledAt = now;
    }

    private static void set(Gauge gauge, Map<String, List<Position>> positions, ToDoubleFunction<Position> number) {
        positions.forEach((group, ofGroup) -> ofGroup.forEach(position -> gauge.labelValues(
                        group,
                        position.partition().topic(),
                        String.valueOf(position.partition().partition()))
                .set(number.applyAsDouble(position))));
    }

    private void remember(Position position, Instant now) {
        var samples = ends.computeIfAbsent(position.partition(), _ -> new TreeMap<>());
        samples.tailMap(position.end(), false).clear(); // of a topic that was made again
        samples.putIfAbsent(position.end(), now);
        while (samples.size() > MAX_SAMPLES) {
            samples.pollFirstEntry();
        }
    }

    /** Since the end was first seen beyond what is committed. */
    private double secondsBehind(Position position, Instant now) {
        var passed = ends.get(position.partition()).higherEntry(position.committed());
        return passed == null || position.lag() == 0
                ? 0
                : Duration.between(passed.getValue(), now).toMillis() / 1000.0;
    }

    @Override
    public void close() {
        sampler.interrupt();
        server.close();
        groups.close();
    }
}
