package dev.orderly.lab.scenario;

import static com.github.freva.asciitable.HorizontalAlign.LEFT;
import static dev.orderly.testkit.ShopClient.expect;
import static dev.orderly.testkit.ShopClient.send;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.github.freva.asciitable.AsciiTable;
import com.github.freva.asciitable.Column;
import com.github.freva.asciitable.ColumnData;
import dev.orderly.lab.load.OrderLoadGenerator;
import dev.orderly.lab.load.OrderLoadGenerator.Answers;
import dev.orderly.platform.ServiceDefinition;
import dev.orderly.platform.config.CommandFailedException;
import dev.orderly.platform.config.PlatformSettings;
import dev.orderly.platform.postgres.ServiceDatabases;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpClient;
import io.vertx.core.http.HttpClientOptions;
import io.vertx.core.http.HttpClientResponse;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.PoolOptions;
import io.vertx.core.http.RequestOptions;
import java.io.PrintStream;
import java.net.URI;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import org.HdrHistogram.Histogram;

/**
 * Logs by the megabyte beside orders. Orders come at a fixed rate all the time; logs in every second phase, from clients that
 * send as much as they are let. Phases alternate, so that whatever else happens on this machine happens to both kinds.
 */
public final class LogBurstScenario implements AutoCloseable {
    private static final int CLIENTS = 32;
    private static final int LINES = 1_000;
    private static final Duration WARM_UP = Duration.ofSeconds(30);
    /** Orders while warming up, by the rate that is measured: what is compiled late would be measured as slow. */
    private static final int WARMER = 4;

    private static final Duration PATIENCE = Duration.ofMinutes(2);
    private static final Duration LOOK = Duration.ofMillis(100);
    /** Of the p99 of orders, with logs over without. */
    private static final double MOST_SLOWDOWN = 2;

    private final List<ServiceDefinition> services;
    private final URI logs;
    private final ServiceDatabases databases;
    private final PrintStream out;
    private final Vertx vertx = Vertx.vertx();
    private final HttpClient client = vertx.createHttpClient(
            new HttpClientOptions().setKeepAlive(true).setTcpNoDelay(true), new PoolOptions().setHttp1MaxSize(CLIENTS));
    private final AtomicLong batches = new AtomicLong();
    private final Map<Long, Integer> acknowledged = new ConcurrentHashMap<>();
    private final AtomicLong sentAway = new AtomicLong();
    private final AtomicLong unanswered = new AtomicLong();
    private final AtomicLong underWay = new AtomicLong();
    private volatile boolean bursting;

    /** All phases of one kind. */
    private static final class Phases {
        final String name;
        final Histogram post = new Histogram(3);
        /** In milliseconds, of each phase. */
        final List<Double> p99s = new ArrayList<>();

        long accepted;
        long turnedAway;
        long failed;
        final Set<String> failures = new TreeSet<>();
        double seconds;

        Phases(String name) {
            this.name = name;
        }

        void add(Answers answers, Duration time) {
            post.add(answers.post);
            p99s.add(answers.post.getValueAtPercentile(99) / 1e3);
            accepted += answers.accepted.get();
            turnedAway += answers.turnedAway.get();
            failed += answers.failed.get();
            failures.addAll(answers.failures);
            seconds += time.toMillis() / 1e3;
        }

        /** Of the phases the one in the middle: one in which the machine did something else says nothing of us. */
        double usualP99() {
            var sorted = p99s.stream().sorted().toList();
            return (sorted.get((sorted.size() - 1) / 2) + sorted.get(sorted.size() / 2)) / 2;
        }

        double millis(double percentile) {
            return post.getValueAtPercentile(percentile) / 1e3;
        }
    }

    public LogBurstScenario(PlatformSettings settings, List<ServiceDefinition> services, PrintStream out) {
        this.services = services;
        this.logs = ServiceDefinition.named(services, ServiceDefinition.NOTIFICATIONS)
                .url("/logs");
        this.databases = ServiceDatabases.of(settings);
        this.out = out;
    }

    /** Prints what was measured, and says whether all that is claimed of it holds. */
    public boolean run(int rate, Duration time, int rounds) throws InterruptedException {
        var without = new Phases("without logs");
        var with = new Phases("during the burst");
        long placed;
        try (var load = new OrderLoadGenerator(
                ServiceDefinition.named(services, ServiceDefinition.ORDERS).url("/"))) {
            prepare();
            out.printf("warming up: %d s of %d orders/s, with logs%n", WARM_UP.toSeconds(), WARMER * rate);
            placed = during(load, WARMER * rate, WARM_UP).accepted.get();
            for (int round = 0; round < rounds; round++) {
                // There and back: a machine that gets slower or faster does so for both.
                for (var phases : round % 2 == 0 ? List.of(without, with) : List.of(with, without)) {
                    out.printf("%s: %d s of %d orders/s%n", phases.name, time.toSeconds(), rate);
                    phases.add(phases == with ? during(load, rate, time) : load.atRate(rate, time, 1), time);
                }
            }
        }
        placed += without.accepted + with.accepted;
        long expected = placed;
        boolean confirmed = within(
                PATIENCE,
                () -> databases.number("orders", "SELECT count(*) FROM orders WHERE status = 'CONFIRMED'") == expected);
        return print(without, with, confirmed);
    }

    private void prepare() throws InterruptedException {
        for (var need : OrderLoadGenerator.needs()) {
            var url = ServiceDefinition.named(services, need.service()).url(need.path());
            try {
                expect(send(need.method(), url, new JsonMapper().readTree(need.body())));
            } catch (JsonProcessingException e) {
                throw new IllegalStateException(e); // our own words
            }
        }
    }

    /** Orders beside a burst; returns when the burst has left no work behind. */
    private Answers during(OrderLoadGenerator load, int rate, Duration time) throws InterruptedException {
        bursting = true;
        for (int i = 0; i < CLIENTS; i++) {
            underWay.incrementAndGet();
            log("client-" + i);
        }
        var answers = load.atRate(rate, time, 1);
        bursting = false;
        within(PATIENCE, () -> underWay.get() == 0);
        within(PATIENCE, () -> kept() >= linesAcknowledged()); // what is missing then is found by the check
        return answers;
    }

    /** One batch after the other, each when the one before is answered; comes again when it is told to. */
    private void log(String clientId) {
        if (!bursting) {
            underWay.decrementAndGet();
            return;
        }
        long batch = batches.incrementAndGet();
        client.request(new RequestOptions()
                        .setMethod(HttpMethod.POST)
                        .setHost(logs.getHost())
                        .setPort(logs.getPort())
                        .setURI(logs.getPath()))
                .compose(request -> request.putHeader("Content-Type", "application/x-ndjson")
                        .send(lines(clientId, batch)))
                .compose(response -> response.body().map(body -> note(batch, response, body)))
                .onComplete(pause -> {
                    if (pause.failed()) {
                        unanswered.incrementAndGet();
                    }
                    vertx.setTimer(Math.max(1, pause.failed() ? 1000 : pause.result()), _ -> log(clientId));
                });
    }

    /** How long to wait before the next, in milliseconds. */
    private long note(long batch, HttpClientResponse response, Buffer body) {
        switch (response.statusCode()) {
            case 202 -> acknowledged.put(batch, body.toJsonObject().getInteger("accepted"));
            case 429 -> sentAway.incrementAndGet();
            default -> unanswered.incrementAndGet();
        }
        var after = response.getHeader("Retry-After");
        return after == null ? 0 : TimeUnit.SECONDS.toMillis(Long.parseLong(after));
    }

    /** About a quarter of a megabyte. */
    private static Buffer lines(String clientId, long batch) {
        var lines = new StringBuilder();
        var head = "{\"clientId\":\"" + clientId + "\",\"at\":\"" + Instant.now()
                + "\",\"level\":\"INFO\",\"message\":\"" + batch + " ";
        for (int line = 0; line < LINES; line++) {
            lines.append(head)
                    .append(line)
                    .append(" GET /products/")
                    .append(line * 7919 % 1_000)
                    .append(" took ")
                    .append(line * 104_729 % 997)
                    .append(
                            " ms; the cart was shown again since the price of an item in it had changed meanwhile\"}\n");
        }
        return Buffer.buffer(lines.toString());
    }

    private long linesAcknowledged() {
        return acknowledged.values().stream().mapToLong(Integer::longValue).sum();
    }

    private long kept() {
        return databases.number("notifications", "SELECT count(*) FROM client_log");
    }

    /** Lines of acknowledged batches that are not in the table, and lines that are there twice. */
    private record Mistakes(long lost, long twice) {}

    private Mistakes mistakes() {
        try (var connection = databases.connect("notifications");
                var statement = connection.createStatement();
                var rows = statement.executeQuery(
                        "SELECT split_part(message, ' ', 1)::bigint, count(DISTINCT message), count(*) FROM client_log GROUP BY 1")) {
            var lines = new HashMap<Long, Long>();
            long twice = 0;
            while (rows.next()) {
                lines.put(rows.getLong(1), rows.getLong(2));
                twice += rows.getLong(3) - rows.getLong(2);
            }
            long lost = acknowledged.entrySet().stream()
                    .mapToLong(batch -> Math.max(0, batch.getValue() - lines.getOrDefault(batch.getKey(), 0L)))
                    .sum();
            return new Mistakes(lost, twice);
        } catch (SQLException e) {
            throw new CommandFailedException("cannot look into notifications: " + e.getMessage(), e);
        }
    }

    private boolean print(Phases without, Phases with, boolean confirmed) {
        out.println();
        out.println(AsciiTable.getTable(
                AsciiTable.NO_BORDERS,
                List.of(without, with),
                List.of(
                        new Column()
                                .header("orders")
                                .headerAlign(LEFT)
                                .dataAlign(LEFT)
                                .with((Phases p) -> p.name),
                        figure("accepted", p -> "%,d".formatted(p.accepted)),
                        figure("refused", p -> "%,d".formatted(p.turnedAway + p.failed)),
                        figure("POST p50 ms", p -> "%.1f".formatted(p.millis(50))),
                        figure("p99 ms, of all", p -> "%.1f".formatted(p.millis(99))),
                        figure("of a usual phase", p -> "%.1f".formatted(p.usualP99())),
                        figure("max ms", p -> "%.1f".formatted(p.millis(100))))));
        var mistakes = mistakes();
        for (var phases : List.of(without, with)) {
            phases.failures.forEach(failure -> out.println(phases.name + ": " + failure));
        }
        double slowdown = with.usualP99() / without.usualP99();
        double seconds = with.seconds + WARM_UP.toSeconds();
        out.printf(
                "%nlogs: %,d lines acknowledged, %,.0f/s during a burst; %,d batches sent away with 429, %,d not answered%n",
                linesAcknowledged(), linesAcknowledged() / seconds, sentAway.get(), unanswered.get());
        return List.of(
                        check(
                                "every order was accepted",
                                without.turnedAway + without.failed + with.turnedAway + with.failed == 0),
                        check("every order was confirmed", confirmed),
                        check("there was a burst: batches were sent away", sentAway.get() > 0),
                        check("acknowledged lines that are not in the table: " + mistakes.lost, mistakes.lost == 0),
                        check("lines that are there twice: " + mistakes.twice, mistakes.twice == 0),
                        check(
                                "p99 of orders in a usual phase, during the burst over without: %.2f, at most %.0f"
                                        .formatted(slowdown, MOST_SLOWDOWN),
                                slowdown <= MOST_SLOWDOWN))
                .stream()
                .allMatch(right -> right);
    }

    private boolean check(String claim, boolean right) {
        out.println((right ? "right  " : "WRONG  ") + claim);
        return right;
    }

    private static ColumnData<Phases> figure(String header, Function<Phases, String> value) {
        return new Column().header(header).with(value);
    }

    private static boolean within(Duration patience, BooleanSupplier condition) throws InterruptedException {
        long end = System.nanoTime() + patience.toNanos();
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() > end) {
                return false;
            }
            TimeUnit.MILLISECONDS.sleep(LOOK.toMillis());
        }
        return true;
    }

    @Override
    public void close() {
        client.close();
        vertx.close();
    }
}
