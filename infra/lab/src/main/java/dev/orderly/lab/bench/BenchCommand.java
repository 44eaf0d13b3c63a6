package dev.orderly.lab.bench;

import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.orderly.lab.load.OrderLoadGenerator;
import dev.orderly.lab.load.OrderLoadGenerator.Answers;
import dev.orderly.platform.config.Checkout;
import dev.orderly.platform.config.CommandFailedException;
import dev.orderly.platform.operations.PartitionScaler;
import dev.orderly.testkit.RunningPlatform;
import dev.orderly.testkit.SecondInstance;
import java.io.IOException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * {@code ./orderly bench}: a fresh platform with everything on this machine, warmed up and measured. What each figure is, and
 * what bounds it, is in {@code docs/performance.md}.
 */
@Command(
        name = "bench",
        description =
                "Measure throughput, CPU per order, latency, drain rate, and what the machine could do without us.")
public final class BenchCommand implements Callable<Integer> {

    /** Orders that are placed and not yet confirmed, during saturation: work for every stage, and no queue that grows. */
    private static final int IN_FLIGHT = 2_000;

    /** Nearly as many as a service lets in at one time. */
    private static final int CONNECTIONS = 192;

    /** Of what must be there before the first order. */
    private static final int SENDERS = 16;

    private static final int WATCHED_PER_SECOND = 20;
    private static final int BACKLOG_PER_SECOND = 1_500;
    private static final Duration REST = Duration.ofMinutes(5);

    private static final int PAST_ORDERS_AT_ONCE = 50_000;
    private static final int RELAY_BEHIND_BYTES = 256 << 20;

    private static final String PAST_ORDERS = """
            WITH past AS (
                INSERT INTO orders (id, customer_id, status, lines, total, currency, payment_method, placed_at, version)
                SELECT uuidv7(-interval '1 d' - interval '1 s' * n),
                       ('0198c6a2-0000-7000-8000-' || lpad((n %% 1000)::text, 12, '0'))::uuid, 'CONFIRMED',
                       '[{"sku":"bench-1","quantity":1,"unitPrice":{"amount":1,"currency":"EUR"}}]', 1, 'EUR', 'BALANCE',
                       now() - interval '1 d' - interval '1 s' * n, 2
                FROM generate_series(%2$d, %1$d, -1) AS n
                RETURNING *
            ), viewed AS (
                INSERT INTO order_view
                SELECT id, customer_id, status, reason, lines, total, currency, payment_method, placed_at, version, 4 FROM past
            ), told AS (
                INSERT INTO order_view_event (order_id, position, type, status, source, version, occurred_at, partition, "offset")
                SELECT id, event.position, event.type, event.status, event.source, event.version, placed_at, 0, -1
                FROM past, (VALUES (1, 'OrderPlaced', 'PENDING', 'order-service', 1),
                                   (2, 'StockReserved', 'RESERVED', 'inventory-service', 1),
                                   (3, 'PaymentCaptured', 'PAID', 'payment-service', 1),
                                   (4, 'OrderConfirmed', 'CONFIRMED', 'order-service', 2))
                    AS event (position, type, status, source, version)
            )
            INSERT INTO last_version
            SELECT 'order-view-consumer-group', id, latest.source, latest.version
            FROM past, (VALUES ('order-service', 2), ('inventory-service', 1), ('payment-service', 1))
                AS latest (source, version)
            """;

    private static final Duration ROUND = Duration.ofSeconds(30);
    private static final Duration QUICK_ROUND = Duration.ofSeconds(18);
    private static final int MOST_ROUNDS = 20;

    /** So many rounds that are no faster than the best before, and it is warm. */
    private static final int STEADY_ROUNDS = 3;

    private static final double FASTER = 1.05;
    private static final List<String> CONSUMERS =
            List.of("inventory-service", "payment-service", "notification-service");

    @Option(names = "--quick", description = "In three to four minutes: shorter, fewer rates, a smaller backlog.")
    boolean quick;

    @Option(names = "--seconds", paramLabel = "N", description = "Of saturation. (default: 60, quick: 15)")
    Integer seconds;

    @Option(
            names = "--rates",
            split = ",",
            paramLabel = "N",
            description = "Orders/s offered. (default: 50,200,500,1000, quick: 50,200)")
    List<Integer> rates;

    @Option(
            names = "--backlog",
            paramLabel = "EVENTS",
            description = "That pile up while services stand. (default: 200000, quick: 4000)")
    Integer backlog;

    @Option(
            names = "--rows",
            paramLabel = "N",
            defaultValue = "0",
            description = "Saturate once more, with N past orders in the tables. (default: ${DEFAULT-VALUE})")
    int rows;

    @Option(
            names = "--instances",
            paramLabel = "N",
            defaultValue = "1",
            description = "Once more, with N of each service; requests go to the first. (default: ${DEFAULT-VALUE})")
    int instances;

    @Option(names = "--partitions", paramLabel = "N", description = "Once more, with the topic of orders grown to N.")
    Integer partitions;

    @Option(names = "--out", paramLabel = "DIR", description = "Where the report goes. (default: a temporary folder)")
    Path out;

    @Option(
            names = "--compare",
            arity = "2",
            paramLabel = "DIR",
            description = "Measure nothing: set two reports side by side.")
    List<Path> compare;

    private final Instant begun = Instant.now();
    private final HttpClient http = HttpClient.newHttpClient();
    private final BenchReport report = new BenchReport();
    private RunningPlatform system;
    private final List<SecondInstance> others = new ArrayList<>();

    @Override
    public Integer call() throws IOException, InterruptedException, SQLException, ExecutionException {
        if (compare != null) {
            System.out.println(BenchReport.compared(compare.get(0), compare.get(1)));
            return 0;
        }
        Path folder = out == null ? Files.createTempDirectory("orderly-bench-") : out.toAbsolutePath();
        Files.createDirectories(folder);
        System.setProperty("orderly.log", folder.resolve("bench.log").toString());
        boolean right;
        try (var started = new RunningPlatform(Checkout.path(), folder.resolve("platform"), Map.of())) {
            system = started;
            say("starting everything");
            system.start();
            prepare();
            try (var load = new OrderLoadGenerator(system.url("order-service", "/"))) {
                right = measure(load);
            } finally {
                for (var other : others) {
                    other.close();
                }
            }
        }
        var about = new JsonMapper()
                .createObjectNode()
                .put("at", Instant.now().toString())
                .put("cores", Runtime.getRuntime().availableProcessors())
                .put("os", System.getProperty("os.name") + " " + System.getProperty("os.version"))
                .put("quick", quick)
                .put("rows", rows)
                .put("instances", instances)
                .put("partitions", partitions);
        report.write(folder, about);
        System.out.println();
        System.out.println(report.table());
        System.out.println("report: " + folder.resolve("report.html"));
        return right ? 0 : 1;
    }

    private void startOthers() throws IOException, InterruptedException {
        for (int i = 1; i < instances; i++) {
            for (var service : RunningPlatform.SERVICES) {
                say("one more " + service);
                var other = new SecondInstance(system, service);
                others.add(other);
                if (!other.awaitReady(REST)) {
                    throw new CommandFailedException("another instance of " + service + " did not become ready");
                }
            }
        }
    }

    private boolean measure(OrderLoadGenerator load)
            throws InterruptedException, SQLException, IOException, ExecutionException {
        warmUp(load, "warm-up");
        var time = Duration.ofSeconds(seconds != null ? seconds : quick ? 15 : 60);
        saturation(load, time);
        for (int rate : rates != null ? rates : quick ? List.of(50, 200) : List.of(50, 200, 500, 1000)) {
            latency(load, rate, Duration.ofSeconds(quick ? 6 : 30));
        }
        backlog(load, backlog != null ? backlog : quick ? 4_000 : 200_000);
        growth(load, time);
        floor(Duration.ofSeconds(quick ? 3 : 10));
        return invariants();
    }

    /** The same saturation with more of one thing after the other: by the same JVMs, in the same hour. */
    private void growth(OrderLoadGenerator load, Duration time)
            throws InterruptedException, SQLException, IOException, ExecutionException {
        if (rows == 0 && instances == 1 && partitions == null) {
            return;
        }
        grown(load, time, "as it was");
        if (rows > 0) {
            fillWithPastOrders();
            grown(load, time, "and %,d past orders".formatted(rows));
        }
        if (partitions != null) {
            PartitionScaler.grow(system.data(), partitions, REST);
            grown(load, time, "and %d partitions".formatted(partitions));
        }
        if (instances > 1) {
            startOthers();
            warmUp(load, "warm-up of the other instances");
            grown(load, time, "and %d instances".formatted(instances));
        }
    }

    private void grown(OrderLoadGenerator load, Duration time, String how) throws InterruptedException, SQLException {
        awaitRest();
        double perSecond = confirmedPerSecond(load, time);
        say("growth, %s: %.0f confirmed orders/s".formatted(how, perSecond));
        report.add("growth", "confirmed orders, " + how, perSecond, "/s", true);
    }

    /** Until more of it makes nothing faster: else it would be measured what the compilers need, which is minutes. */
    private void warmUp(OrderLoadGenerator load, String section) throws InterruptedException, SQLException {
        double best = 0;
        int noFaster = 0;
        for (int round = 1; round <= (quick ? 1 : MOST_ROUNDS) && noFaster < STEADY_ROUNDS; round++) {
            double perSecond = confirmedPerSecond(load, quick ? QUICK_ROUND : ROUND);
            say("warming up: %.0f confirmed orders/s".formatted(perSecond));
            report.add(section, "confirmed orders, round " + round, perSecond, "/s", true);
            noFaster = perSecond > best * FASTER ? 0 : noFaster + 1;
            best = Math.max(best, perSecond);
        }
    }

    private double confirmedPerSecond(OrderLoadGenerator load, Duration time)
            throws InterruptedException, SQLException {
        long before = confirmed();
        long start = System.nanoTime();
        saturate(load, time);
        awaitEnd();
        double took = (System.nanoTime() - start) / 1e9;
        return (confirmed() - before) / took;
    }

    /** Fills catalogue, shelves and accounts. */
    private void prepare() throws InterruptedException {
        try (var senders = Executors.newFixedThreadPool(SENDERS)) {
            var sent = new ArrayList<Future<?>>();
            for (var need : OrderLoadGenerator.needs()) {
                sent.add(senders.submit(() -> {
                    send(need.service(), need.method(), need.path(), need.body());
                    return null;
                }));
            }
            for (var one : sent) {
                one.get();
            }
        } catch (ExecutionException e) {
            throw new CommandFailedException("cannot prepare: " + e.getCause().getMessage(), e);
        }
    }

    private void send(String service, String method, String path, String body) throws InterruptedException {
        try {
            var request = HttpRequest.newBuilder(system.url(service, path))
                    .timeout(Duration.ofSeconds(30))
                    .header("Content-Type", "application/json")
                    .header("Idempotency-Key", UUID.randomUUID().toString())
                    .method(method, body == null ? BodyPublishers.noBody() : BodyPublishers.ofString(body))
                    .build();
            var answer = http.send(request, BodyHandlers.ofString());
            if (answer.statusCode() / 100 != 2) {
                throw new CommandFailedException(
                        request.uri() + " answered " + answer.statusCode() + ": " + answer.body());
            }
        } catch (IOException e) {
            throw new CommandFailedException(service + " does not answer: " + e, e);
        }
    }

    /** As many orders as can be, but for a queue: the customers wait while too many are under way. */
    private Answers saturate(OrderLoadGenerator load, Duration time) throws InterruptedException, SQLException {
        long end = System.nanoTime() + time.toNanos();
        try (var inFlight = new InFlight(system.connect("orders"))) {
            return load.atOnce(CONNECTIONS, () -> System.nanoTime() < end, () -> inFlight.orders() > IN_FLIGHT);
        }
    }

    private void saturation(OrderLoadGenerator load, Duration time)
            throws InterruptedException, SQLException, IOException {
        awaitRest();
        say("saturation: %d s".formatted(time.toSeconds()));
        long before = confirmed();
        var cpuBefore = ProcessUsage.cpu(system, others);
        long start = System.nanoTime();
        var answers = saturate(load, time);
        awaitEnd();
        double took = (System.nanoTime() - start) / 1e9;
        awaitRest(); // letters are part of what an order costs
        long orders = confirmed() - before;
        report.add("saturation", "confirmed orders, until the last is", orders / took, "/s", true);
        report.add("saturation", "turned away", answers.turnedAway.get(), "", false);
        report.add("saturation", "failed", answers.failed.get(), "", false);
        report.add("saturation", "POST", answers.post);
        var perOrder = new TreeMap<String, Double>();
        ProcessUsage.cpu(system, others)
                .forEach((part, after) -> perOrder.put(
                        part,
                        after.minus(cpuBefore.getOrDefault(part, Duration.ZERO)).toNanos()
                                / 1e6
                                / Math.max(1, orders)));
        report.add("CPU", "all", perOrder.values().stream().mapToDouble(d -> d).sum(), "ms/order", false);
        perOrder.forEach((part, cpu) -> report.add("CPU", part, cpu, "ms/order", false));
        report.bars("CPU per confirmed order", "ms", perOrder);
        var resident = ProcessUsage.residentMegabytes(system, others);
        report.add("memory", "all", resident.values().stream().mapToLong(m -> m).sum(), "MB", false);
        resident.forEach((part, memory) -> report.add("memory", part, memory, "MB", false));
    }

    private void latency(OrderLoadGenerator load, int rate, Duration time) throws InterruptedException, SQLException {
        awaitRest();
        say("latency: %d orders/s for %d s".formatted(rate, time.toSeconds()));
        var since = Instant.now();
        var answers = load.atRate(rate, time, WATCHED_PER_SECOND);
        var section = "latency at " + rate + "/s";
        report.add(section, "POST", answers.post);
        report.add(section, "POST to CONFIRMED visible", answers.confirmed);
        report.add(section, "turned away", answers.turnedAway.get(), "", false);
        report.add(section, "failed", answers.failed.get(), "", false);
        awaitRest();
        stages(section, since);
        report.chart(
                section, new LinkedHashMap<>(Map.of("POST", answers.post, "POST to CONFIRMED", answers.confirmed)));
    }

    /** Between the events of an order, each with the time of its service: commit, relay, poll, and the work up to the next. */
    private void stages(String section, Instant since) throws SQLException {
        try (var connection = system.connect("orders");
                var select = connection.prepareStatement("""
                        SELECT before.type, event.type,
                               percentile_cont(ARRAY[0.5, 0.99]) WITHIN GROUP
                                   (ORDER BY extract(epoch FROM event.occurred_at - before.occurred_at) * 1000)
                        FROM order_view
                        JOIN order_view_event event USING (order_id)
                        JOIN order_view_event before ON before.order_id = event.order_id AND before.position = event.position - 1
                        WHERE placed_at >= ? AND order_view.status = 'CONFIRMED'
                        GROUP BY 1, 2
                        ORDER BY min(event.position)
                        """)) {
            select.setTimestamp(1, java.sql.Timestamp.from(since));
            try (var stages = select.executeQuery()) {
                while (stages.next()) {
                    var percentiles = (Double[]) stages.getArray(3).getArray();
                    var name = stages.getString(1) + " to " + stages.getString(2);
                    report.add(section, name + " p50", percentiles[0], "ms", false);
                    report.add(section, name + " p99", percentiles[1], "ms", false);
                }
            }
        }
    }

    /** Those who react to orders stand still while orders come; then they go on. An order is four events. */
    private void backlog(OrderLoadGenerator load, int events) throws InterruptedException, SQLException, IOException {
        awaitRest();
        int orders = events / 4;
        say("backlog: %,d orders while %s stand".formatted(orders, String.join(", ", CONSUMERS)));
        signalConsumers("STOP");
        long before = confirmed();
        long start;
        try {
            load.atRate(BACKLOG_PER_SECOND, Duration.ofMillis(orders * 1000L / BACKLOG_PER_SECOND), 1);
        } finally {
            start = System.nanoTime();
            signalConsumers("CONT");
        }
        var most = new TreeMap<String, Long>();
        while (count("orders", "SELECT count(*) FROM orders WHERE status = 'PENDING'") > 0) {
            ProcessUsage.residentMegabytes(system, others)
                    .forEach((part, memory) -> most.merge(part, memory, Math::max));
            TimeUnit.MILLISECONDS.sleep(500);
        }
        double took = (System.nanoTime() - start) / 1e9;
        long ended = confirmed() - before;
        report.add("backlog", "events drained", ended * 4 / took, "/s", true);
        report.add("backlog", "orders that had piled up", ended, "", true);
        for (var part : CONSUMERS) {
            report.add("backlog", "most memory of " + part, most.getOrDefault(part, 0L), "MB", false);
        }
    }

    private void signalConsumers(String signal) throws InterruptedException, IOException {
        for (var part : system.parts()) {
            if (CONSUMERS.contains(part.name())) {
                RunningPlatform.signal(signal, part.pid());
            }
        }
        for (var other : others) {
            if (CONSUMERS.contains(other.service())) {
                RunningPlatform.signal(signal, other.jvm().orElseThrow().pid());
            }
        }
    }

    private void floor(Duration time) throws SQLException, InterruptedException, ExecutionException {
        awaitRest();
        say("floor: the same servers without us");
        var floor = new Baseline(system, time);
        floor.sql().entrySet().stream()
                .sorted(Map.Entry.comparingByKey())
                .forEach(sql -> report.add("floor", sql.getKey(), sql.getValue(), "orders/s", true));
        report.add("floor", "bare producer, acks=all", floor.kafka(), "records/s", true);
    }

    /** After all that: nothing lost, nothing twice. */
    private boolean invariants() throws SQLException, InterruptedException {
        awaitRest();
        long wrong = count("orders", """
                SELECT count(*) FROM orders FULL JOIN order_view ON order_id = id
                WHERE orders.status IS DISTINCT FROM order_view.status OR orders.version <> order_view.version
                """)
                + count("orders", "SELECT count(*) FROM orders WHERE status <> 'CONFIRMED'")
                + count("payments", """
                SELECT count(*) FROM (SELECT order_id FROM transfer WHERE kind = 'CAPTURE' GROUP BY 1 HAVING count(*) <> 1)
                """)
                + Math.abs(count("orders", "SELECT count(*) FROM orders")
                        - rows
                        - count("payments", "SELECT count(*) FROM transfer WHERE kind = 'CAPTURE'"))
                + Math.abs(count("orders", "SELECT count(*) FROM orders")
                        - rows
                        - count("inventory", "SELECT coalesce(sum(sold), 0) FROM stock"));
        for (var database : List.of("orders", "inventory", "payments", "notifications")) {
            wrong += count(database, "SELECT count(*) FROM parked_event");
        }
        report.add("afterwards", "orders that are not confirmed, paid and sold exactly once", wrong, "", false);
        return wrong == 0;
    }

    private long confirmed() throws SQLException {
        return count("orders", "SELECT count(*) FROM order_view WHERE status = 'CONFIRMED'");
    }

    private long count(String database, String sql) throws SQLException {
        try (var connection = system.connect(database);
                var statement = connection.createStatement()) {
            connection.setNetworkTimeout(Runnable::run, 0); // millions of rows take a while
            try (var row = statement.executeQuery(sql)) {
                row.next();
                return row.getLong(1);
            }
        }
    }

    /** Until every order has ended, here and in the view. */
    private void awaitEnd() throws InterruptedException, SQLException {
        await(() -> count("orders", "SELECT count(*) FROM orders WHERE status = 'PENDING'") == 0
                && count("orders", "SELECT count(*) FROM order_view WHERE status IN ('PENDING', 'RESERVED', 'PAID')")
                        == 0
                && count("orders", """
                        SELECT count(*)
                        FROM (SELECT id FROM orders ORDER BY id DESC LIMIT %d) AS latest LEFT JOIN order_view ON order_id = id
                        WHERE order_id IS NULL
                        """.formatted(2 * IN_FLIGHT)) == 0);
    }

    /** And every letter is out: what goes on behind would be counted to the next phase. */
    private void awaitRest() throws InterruptedException, SQLException {
        awaitEnd();
        await(() -> count("notifications", "SELECT count(*) FROM notification WHERE state = 'PENDING'") == 0);
    }

    private interface Condition {
        boolean holds() throws SQLException;
    }

    private static void await(Condition condition) throws InterruptedException, SQLException {
        long end = System.nanoTime() + REST.toNanos();
        while (!condition.holds()) {
            if (System.nanoTime() > end) {
                throw new CommandFailedException("the system did not come to rest within " + REST.toSeconds() + " s");
            }
            TimeUnit.MILLISECONDS.sleep(50);
        }
    }

    /** Confirmed orders of a past second each, in every table of order-service that grows with orders; oldest first. */
    private void fillWithPastOrders() throws SQLException, InterruptedException {
        awaitRest();
        say("%,d past orders".formatted(rows));
        for (int left = rows; left > 0; left -= PAST_ORDERS_AT_ONCE) {
            execute("orders", PAST_ORDERS.formatted(Math.max(0, left - PAST_ORDERS_AT_ONCE) + 1, left));
            awaitRelays();
        }
        execute("orders", "VACUUM ANALYZE");
        execute("orders", "CHECKPOINT");
    }

    /** The log of that many rows is more than a relay may be behind. */
    private void awaitRelays() throws SQLException, InterruptedException {
        await(() -> count("orders", """
                SELECT coalesce(max(pg_wal_lsn_diff(pg_current_wal_lsn(), confirmed_flush_lsn)), 0)::bigint / %d
                FROM pg_replication_slots
                """.formatted(RELAY_BEHIND_BYTES)) == 0);
    }

    private void execute(String database, String sql) throws SQLException {
        try (var connection = system.connect(database);
                var statement = connection.createStatement()) {
            connection.setNetworkTimeout(Runnable::run, 0); // however long it takes
            statement.execute(sql);
        }
    }

    private void say(String line) {
        System.out.printf("%4d s  %s%n", Duration.between(begun, Instant.now()).toSeconds(), line);
    }

    /** How many orders are under way, asked for again and again, beside what looks at it. */
    private static final class InFlight implements AutoCloseable {
        private static final Duration PAUSE = Duration.ofMillis(100);

        private final Connection connection;
        private volatile long last;
        private volatile boolean closed;

        InFlight(Connection connection) {
            this.connection = connection;
            Thread.ofPlatform().daemon().name("in-flight").start(this::ask);
        }

        private void ask() {
            try (var select = connection.prepareStatement(
                    "SELECT count(*) FROM order_view WHERE status IN ('PENDING', 'RESERVED', 'PAID')")) {
                while (!closed) {
                    try (var row = select.executeQuery()) {
                        row.next();
                        last = row.getLong(1);
                    }
                    TimeUnit.MILLISECONDS.sleep(PAUSE.toMillis());
                }
            } catch (SQLException e) {
                if (!closed) {
                    throw new IllegalStateException("the orders under way cannot be counted", e);
                }
            } catch (InterruptedException _) {
                Thread.currentThread().interrupt();
            }
        }

        long orders() {
            return last;
        }

        @Override
        public void close() throws SQLException {
            closed = true; // and the thread ends, with the connection or by it
            connection.close();
        }
    }
}
