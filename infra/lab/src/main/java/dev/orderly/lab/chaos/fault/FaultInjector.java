package dev.orderly.lab.chaos.fault;

import static dev.orderly.testkit.RunningPlatform.BROKERS;
import static dev.orderly.testkit.RunningPlatform.GROUPS;
import static dev.orderly.testkit.RunningPlatform.SERVICES;
import static dev.orderly.testkit.RunningPlatform.TOPIC;
import static dev.orderly.testkit.RunningPlatform.signal;

import dev.orderly.platform.config.CommandFailedException;
import dev.orderly.platform.connect.RelayPauseLock;
import dev.orderly.testkit.RunningPlatform;
import dev.orderly.testkit.SecondInstance;
import java.io.IOException;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.MemberToRemove;
import org.apache.kafka.clients.admin.RemoveMembersFromConsumerGroupOptions;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.ElectionType;
import org.apache.kafka.common.GroupState;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/** Lets things go wrong, and right again: each fault is over when {@link #inject} returns, and nothing of it stays. */
public final class FaultInjector implements AutoCloseable {

    private static final Duration CRASH_PATIENCE = Duration.ofSeconds(15);
    private static final Duration RESTART_PATIENCE = Duration.ofSeconds(60);
    /** Of a process that has to find its place among a dozen that are busy. */
    private static final Duration START_PATIENCE = Duration.ofSeconds(120);

    private static final int DUPLICATES = 200;

    private final RunningPlatform system;
    private final BytemanAgent byteman = new BytemanAgent();
    private final Set<String> lostSlots = ConcurrentHashMap.newKeySet();
    private final Set<ConsumerPosition> rewinds = ConcurrentHashMap.newKeySet();
    private final AtomicLong republished = new AtomicLong();
    private final List<TimeSpan> dark = new CopyOnWriteArrayList<>();
    private final ExecutorService helpers = Executors.newVirtualThreadPerTaskExecutor();
    private final List<SecondInstance> extras = new CopyOnWriteArrayList<>();
    private final Set<Long> mutated = ConcurrentHashMap.newKeySet();
    private final Map<String, String> unmutatedServices = new ConcurrentHashMap<>();
    private final KafkaProducer<String, byte[]> producer;

    public FaultInjector(RunningPlatform system) {
        this.system = system;
        this.producer = new KafkaProducer<>(
                Map.of(
                        "bootstrap.servers",
                        system.bootstrapServers(),
                        "client.id",
                        "chaos",
                        "acks",
                        "all",
                        "enable.idempotence",
                        true,
                        "delivery.timeout.ms",
                        120_000),
                new StringSerializer(),
                new ByteArraySerializer());
    }

    /** The fault could not be made to happen; the reason is for the report. */
    public static final class Missed extends Exception {
        private static final long serialVersionUID = 1L;

        Missed(String why) {
            super(why);
        }
    }

    /** The databases whose replication slots were dropped, or may have been. */
    public Set<String> lostSlots() {
        return Set.copyOf(lostSlots);
    }

    /** What groups were set back to, or may have been. */
    public Set<ConsumerPosition> rewinds() {
        return Set.copyOf(rewinds);
    }

    /** How many records of the topic were sent to it a second time. */
    public long republished() {
        return republished.get();
    }

    /** The power cuts, until everything was up again. */
    public List<TimeSpan> dark() {
        return List.copyOf(dark);
    }

    /** Returns when the fault is over; what it did to the system may last longer. */
    public void inject(Fault fault) throws InterruptedException, Missed {
        try {
            var target = fault.target();
            switch (fault.kind()) {
                case KILL_SERVICE, KILL_CONNECT, KILL_BROKER, KILL_POSTGRES, KILL_SIMULATORS ->
                    signalPart("KILL", target);
                case RESTART_SERVICE, RESTART_CONNECT, RESTART_BROKER -> signalPart("TERM", target);
                case RESTART_POSTGRES -> signalPart("INT", target); // its fast shutdown
                case PAUSE_SERVICE, PAUSE_CONNECT, PAUSE_BROKER, PAUSE_POSTGRES, PAUSE_SIMULATORS ->
                    pause(target, fault.lasts());
                case HANG_MAIL -> {
                    var hang = "{\"seconds\":%d}".formatted(fault.lasts().toSeconds());
                    if (system.ask("PUT", system.mailApi("/api/fault"), hang).isEmpty()) {
                        throw new Missed("the mail server does not answer");
                    }
                    TimeUnit.MILLISECONDS.sleep(fault.lasts().toMillis());
                }
                case FAIL_GATEWAY -> {
                    var told = system.askGateway(
                            "PUT",
                            "/fault",
                            "{\"behaviour\":\"%s\",\"seconds\":%d}"
                                    .formatted(target, fault.lasts().toSeconds()));
                    if (told.isEmpty()) {
                        throw new Missed("the gateway does not listen");
                    }
                    TimeUnit.MILLISECONDS.sleep(fault.lasts().toMillis());
                }
                case KILL_TWO_SERVICES -> {
                    for (String part : target.split("\\+")) {
                        signalPart("KILL", part);
                    }
                }
                case KILL_ALL_SERVICES -> killAll(SERVICES);
                case KILL_ALL_BROKERS -> killAll(BROKERS);
                case ROLLING_BROKERS -> roll();
                case KILL_CONTROLLER -> killController();
                case MOVE_LEADERS -> moveLeaders();
                case CRASH_POINT -> crash(target, 1 + fault.dice() % 20);
                case SECOND_INSTANCE ->
                    withSecondInstance(target, fault.dice() % 2 == 0, second -> second.await(fault.lasts()));
                case REBALANCE_STORM -> {
                    var half = fault.lasts().dividedBy(2);
                    withSecondInstance(target, true, second -> second.await(half));
                    withSecondInstance(target, false, second -> second.await(half));
                }
                case ZOMBIE_SERVICE ->
                    withSecondInstance(target, true, _ -> {
                        // Once it may be between two batches.
                        expelWhilePaused(target, fault.lasts());
                        expelWhilePaused(target, fault.lasts());
                    });
                case RESTART_CONNECTOR -> connector("POST", target, "/restart?includeTasks=true");
                case PAUSE_CONNECTOR -> {
                    try (var _ = RelayPauseLock.take(system.connect("postgres"))) {
                        connector("PUT", target, "/pause");
                        TimeUnit.MILLISECONDS.sleep(fault.lasts().toMillis());
                    }
                }
                case LOSE_SLOT -> loseSlot(target, fault.lasts());
                case KILL_WALSENDER -> terminate(walsender(target));
                case KILL_BACKENDS -> terminate(backends(target));
                case FREEZE_BACKENDS -> stopFor(fault.lasts(), backends(target));
                case FREEZE_WALSENDER -> stopFor(fault.lasts(), walsender(target));
                case LOCK_TABLES -> lock(target, fault.lasts());
                case CHANGE_TABLE ->
                    sql(
                            target,
                            "SET lock_timeout = '5s'; ALTER TABLE outbox ADD COLUMN chaos_" + fault.number() + " int");
                case DUPLICATES -> republish(fault.dice());
                case POISON -> poison(PoisonRecord.named(target));
                case REWIND_OFFSETS -> rewind(target, fault.dice());
                case NOTHING -> {}
                case POWER_CUT -> {
                    killExtras();
                    var off = Instant.now();
                    try {
                        system.powerCut();
                    } finally {
                        dark.add(new TimeSpan(off, Instant.now()));
                    }
                }
            }
        } catch (IOException | SQLException | ExecutionException | RuntimeException e) {
            throw new Missed(e.toString());
        }
    }

    private long pid(String part) throws Missed {
        long pid = system.part(part).pid();
        if (pid == 0) {
            throw new Missed(part + " was down");
        }
        return pid;
    }

    private void signalPart(String signal, String part) throws InterruptedException, IOException, Missed {
        signal(signal, pid(part));
    }

    private void pause(String part, Duration time) throws InterruptedException, IOException, Missed {
        long leader = pid(part);
        // A postmaster's children go on without it: all of them or none.
        var family = new ArrayList<>(List.of(leader));
        ProcessHandle.of(leader).stream()
                .flatMap(ProcessHandle::descendants)
                .map(ProcessHandle::pid)
                .forEach(family::add);
        stopFor(time, family);
    }

    private static void stopFor(Duration time, List<Long> processes) throws InterruptedException, IOException {
        try {
            for (long pid : processes) {
                signal("STOP", pid);
            }
            TimeUnit.MILLISECONDS.sleep(time.toMillis());
        } finally {
            for (long pid : processes) {
                signal("CONT", pid);
            }
        }
    }

    private List<Long> backends(String database) throws SQLException, Missed {
        return processes("SELECT pid FROM pg_stat_activity WHERE usename = '" + database + "_app'");
    }

    private List<Long> walsender(String database) throws SQLException, Missed {
        return processes(
                "SELECT active_pid FROM pg_replication_slots WHERE slot_name = 'outbox_" + database + "' AND active");
    }

    /** Those of PostgreSQL at the other ends of connections. */
    private List<Long> processes(String query) throws SQLException, Missed {
        var found = new ArrayList<Long>();
        try (var connection = system.connect("postgres");
                var select = connection.createStatement();
                var rows = select.executeQuery(query)) {
            while (rows.next()) {
                found.add(rows.getLong(1));
            }
        }
        if (found.isEmpty()) {
            throw new Missed("there was no such connection");
        }
        return found;
    }

    private void terminate(List<Long> backends) throws SQLException {
        for (long pid : backends) {
            sql("postgres", "SELECT pg_terminate_backend(" + pid + ")");
        }
    }

    private void killAll(List<String> parts) throws InterruptedException, IOException {
        for (var part : system.parts()) {
            if (parts.contains(part.name()) && part.pid() != 0) {
                signal("KILL", part.pid());
            }
        }
    }

    private void roll() throws InterruptedException, IOException, Missed {
        for (String broker : BROKERS) {
            long former = pid(broker);
            signal("TERM", former);
            RunningPlatform.await(RESTART_PATIENCE, broker + " to be back", () -> {
                var now = system.part(broker);
                return now.ready() && now.pid() != former;
            });
        }
    }

    private void killController() throws InterruptedException, IOException, ExecutionException, Missed {
        int leader = system.admin().describeMetadataQuorum().quorumInfo().get().leaderId();
        signalPart("KILL", "kafka-" + leader);
    }

    private void moveLeaders() throws InterruptedException, ExecutionException {
        system.admin().electLeaders(ElectionType.PREFERRED, null).partitions().get();
    }

    private void crash(String target, int visit) throws InterruptedException, IOException, Missed {
        var point = CrashPoint.valueOf(target.substring(0, target.indexOf('@')));
        var service = target.substring(target.indexOf('@') + 1);
        // An agent cannot be put into a process that is only just starting.
        RunningPlatform.await(
                CRASH_PATIENCE,
                service + " to be ready",
                () -> system.part(service).ready());
        long pid = pid(service);
        var rule = point.rule(visit);
        byteman.install(pid, rule);
        try {
            RunningPlatform.await(
                    CRASH_PATIENCE,
                    "the crash",
                    () -> ProcessHandle.of(pid).filter(ProcessHandle::isAlive).isEmpty());
        } catch (CommandFailedException e) {
            byteman.uninstall(pid, rule);
            throw new Missed("nobody came by " + target);
        }
    }

    private interface Deed {
        void in(SecondInstance second) throws InterruptedException, IOException, ExecutionException, Missed;
    }

    /** It joins, and in the end leaves: by a farewell or without one. */
    private void withSecondInstance(String service, boolean politely, Deed deed)
            throws InterruptedException, IOException, ExecutionException, Missed {
        // It does not live long enough for the second compiler.
        try (var instance = new SecondInstance(system, service, "-XX:TieredStopAtLevel=1")) {
            extras.add(instance);
            try {
                if (!instance.awaitReady(START_PATIENCE)) {
                    throw new Missed("it did not become ready");
                }
                deed.in(instance);
            } finally {
                if (!politely) {
                    instance.kill();
                }
                extras.remove(instance);
            }
        }
    }

    /**
     * An owner of partitions that does not know that it is none any more: in the middle of a batch it stands still, its
     * groups take it for dead, another goes on from what it has committed, and then it awakes and goes on as well.
     */
    private void expelWhilePaused(String service, Duration time)
            throws InterruptedException, IOException, ExecutionException, Missed {
        var groups = GROUPS.entrySet().stream()
                .filter(group -> group.getValue().equals(service))
                .map(Map.Entry::getKey)
                .toList();
        RunningPlatform.await(START_PATIENCE, "the second instance to have joined", () -> haveSeveralMembers(groups));
        long pid = pid(service);
        signal("STOP", pid);
        try {
            // Its supervisor has named it so; the second instance has no name.
            var paused = new RemoveMembersFromConsumerGroupOptions(List.of(new MemberToRemove(service)));
            for (String group : groups) {
                system.admin()
                        .removeMembersFromConsumerGroup(group, paused)
                        .all()
                        .get();
            }
            TimeUnit.MILLISECONDS.sleep(time.toMillis());
        } finally {
            signal("CONT", pid);
        }
    }

    private boolean haveSeveralMembers(List<String> groups) throws InterruptedException {
        try {
            return system.admin().describeConsumerGroups(groups).all().get().values().stream()
                    .allMatch(group -> group.groupState() == GroupState.STABLE
                            && group.members().size() > 1);
        } catch (ExecutionException _) {
            return false; // brokers are broken too
        }
    }

    private void killExtras() {
        extras.forEach(SecondInstance::kill);
    }

    private void connector(String method, String database, String path) throws InterruptedException, Missed {
        if (system.connector(method, "/" + database + "-outbox" + path).isEmpty()) {
            throw new Missed("Connect did not take it");
        }
    }

    private void sql(String database, String statement) throws SQLException {
        try (var connection = system.connect(database);
                var change = connection.createStatement()) {
            change.execute(statement);
        }
    }

    private void lock(String target, Duration time) throws SQLException, InterruptedException {
        String database = target.substring(0, target.indexOf(':'));
        String table = target.substring(target.indexOf(':') + 1);
        try (Connection connection = system.connect(database)) {
            connection.setAutoCommit(false);
            try (var lock = connection.createStatement()) {
                lock.execute("SET LOCAL lock_timeout = '5s'");
                lock.execute("LOCK TABLE " + table + " IN ACCESS EXCLUSIVE MODE");
                TimeUnit.MILLISECONDS.sleep(time.toMillis());
            } finally {
                connection.rollback();
            }
        }
    }

    /** Some of what the topic has, once more, shuffled. What came first still came first, so nothing may change by it. */
    private void republish(int dice) throws InterruptedException, ExecutionException {
        var random = new Random(dice);
        var copies = new ArrayList<ProducerRecord<String, byte[]>>();
        try (var consumer = new KafkaConsumer<>(
                Map.<String, Object>of("bootstrap.servers", system.bootstrapServers(), "max.poll.records", DUPLICATES),
                new StringDeserializer(),
                new ByteArrayDeserializer())) {
            var partition = new TopicPartition(TOPIC, random.nextInt(3));
            consumer.assign(List.of(partition));
            long end = consumer.endOffsets(List.of(partition)).get(partition);
            consumer.seek(partition, end == 0 ? 0 : random.nextLong(end));
            for (var record : consumer.poll(Duration.ofSeconds(5))) {
                if (PoisonRecord.in(record).isEmpty()) {
                    copies.add(new ProducerRecord<>(
                            TOPIC, record.partition(), record.key(), record.value(), record.headers()));
                }
            }
        }
        Collections.shuffle(copies, random);
        for (var copy : copies) {
            producer.send(copy);
        }
        producer.flush();
        republished.addAndGet(copies.size());
    }

    private void poison(PoisonRecord kind) throws InterruptedException, ExecutionException {
        producer.send(kind.record()).get();
    }

    /** Only a group without members can be told where it is: so its service is killed, and told before it is back. */
    private void rewind(String group, int dice) throws InterruptedException, ExecutionException, IOException, Missed {
        var committed = new HashMap<TopicPartition, OffsetAndMetadata>();
        system.admin()
                .listConsumerGroupOffsets(group)
                .partitionsToOffsetAndMetadata()
                .get()
                .forEach((partition, offset) ->
                        committed.put(partition, new OffsetAndMetadata(Math.max(0, offset.offset() - dice))));
        committed.forEach((partition, to) -> rewinds.add(new ConsumerPosition(group, partition, to.offset())));
        signalPart("KILL", GROUPS.get(group));
        long deadline = System.nanoTime() + RESTART_PATIENCE.toNanos();
        while (true) {
            try {
                system.admin()
                        .removeMembersFromConsumerGroup(group, new RemoveMembersFromConsumerGroupOptions())
                        .all()
                        .get();
                system.admin().alterConsumerGroupOffsets(group, committed).all().get();
                return;
            } catch (ExecutionException e) {
                if (System.nanoTime() > deadline
                        || system.part(GROUPS.get(group)).ready()) {
                    throw new Missed("the group had members again: " + e.getCause());
                }
                TimeUnit.MILLISECONDS.sleep(50);
            }
        }
    }

    /** As an outage that is longer than the log is kept, or a careless hand, would have it. */
    void loseSlot(String database, Duration time) throws InterruptedException, SQLException, Missed {
        var slot = "outbox_" + database;
        lostSlots.add(database);
        try (var _ = RelayPauseLock.take(system.connect("postgres"))) {
            connector("PUT", database, "/stop");
            RunningPlatform.await(RESTART_PATIENCE, "the end of the relay", () -> {
                try (var connection = system.connect("postgres");
                        var statement = connection.createStatement();
                        var rows = statement.executeQuery(
                                "SELECT FROM pg_replication_slots WHERE slot_name = '" + slot + "' AND NOT active")) {
                    return rows.next();
                } catch (SQLException _) {
                    return false;
                }
            });
            sql(database, "SELECT pg_drop_replication_slot('" + slot + "')");
            TimeUnit.MILLISECONDS.sleep(time.toMillis());
            // A service that starts in between makes it too.
            sql(
                    database,
                    "SELECT pg_create_logical_replication_slot('" + slot + "', 'pgoutput')"
                            + " WHERE NOT EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = '" + slot + "')");
            connector("DELETE", database, "/offsets");
        }
    }

    /** Keeps services broken, whatever processes they are by now, until this is closed. */
    public void mutation(Mutation mutation) {
        for (String service : mutation.services()) {
            unmutatedServices.put(service, "could not be reached");
            helpers.submit(() -> {
                while (true) {
                    var part = system.part(service);
                    var jvms = Stream.concat(
                            part.ready() ? Stream.of(part.pid()) : Stream.empty(),
                            extras.stream()
                                    .filter(extra -> extra.service().equals(service))
                                    .flatMap(extra -> extra.jvm().stream())
                                    .map(ProcessHandle::pid));
                    for (long pid : jvms.toList()) {
                        apply(service, pid, mutation.rules());
                    }
                    TimeUnit.MILLISECONDS.sleep(300);
                }
            });
        }
    }

    private void apply(String service, long pid, String rules) {
        try {
            if (!mutated.contains(pid)) {
                byteman.install(pid, rules);
                mutated.add(pid);
                unmutatedServices.remove(service);
            }
            var complaints = byteman.complaints(pid);
            if (!complaints.isEmpty()) {
                unmutatedServices.put(service, String.join("; ", complaints));
            }
        } catch (IOException _) {
            // It is only just starting, or dies: there is a next time, or a next process.
        }
    }

    /** The services that were not as broken as they were to be, and why: then a clean run says nothing. */
    public Map<String, String> unmutatedServices() {
        return Map.copyOf(unmutatedServices);
    }

    /** Breaks nothing any more, and ends all second instances; that parts and relays run is for those who watch over them. */
    public void heal() throws InterruptedException {
        helpers.shutdownNow();
        killExtras();
    }

    @Override
    public void close() {
        helpers.shutdownNow();
        killExtras();
        producer.close(Duration.ZERO);
    }
}
