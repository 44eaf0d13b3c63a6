package dev.orderly.lab.scenario;

import dev.orderly.lab.load.LoadClient;
import dev.orderly.lab.load.OrderLoadGenerator;
import dev.orderly.lab.load.OrderLoadGenerator.Results;
import dev.orderly.platform.config.CommandFailedException;
import dev.orderly.platform.operations.AccessTokens;
import dev.orderly.testkit.Await;
import dev.orderly.testkit.RunningPlatform;
import dev.orderly.testkit.ShopClient;
import io.vertx.core.buffer.Buffer;
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
import java.util.concurrent.atomic.AtomicLong;
import org.HdrHistogram.Histogram;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * {@code ./orderly scenario log-burst}: logs by the megabyte beside orders. Orders come at a fixed rate all
 * the time; logs in every second phase, from clients that send as much as they may. Phases alternate, so that
 * whatever else happens on this machine happens to both kinds.
 */
@Command(
        name = "log-burst",
        description = "Clients log more than can be taken, while others order: each line that was taken is kept once,"
                + " and orders are as fast as without.")
public final class LogBurstScenario extends Scenario {
    private static final int CLIENTS = 32;
    private static final int LINES = 1_000;
    private static final Duration WARM_UP = Duration.ofSeconds(30);
    /** Of the measured rate, while warming up: code compiled later would be measured as slow. */
    private static final int WARM_UP_FACTOR = 4;

    private static final long PAUSE_AFTER_FAILURE_MILLIS = 1_000;
    private static final Duration MAX_WAIT = Duration.ofMinutes(2);
    /** Of the p99 of orders, with logs over without. */
    private static final double MAX_SLOWDOWN = 2;

    @Option(
            names = "--rate",
            paramLabel = "N",
            defaultValue = "50",
            description = "Orders/s. (default: ${DEFAULT-VALUE})")
    int rate;

    @Option(
            names = "--seconds",
            paramLabel = "N",
            defaultValue = "10",
            description = "Of each phase, with and without logs. (default: ${DEFAULT-VALUE})")
    int seconds;

    @Option(
            names = "--rounds",
            paramLabel = "N",
            defaultValue = "4",
            description = "Of one phase without and one with. (default: ${DEFAULT-VALUE})")
    int rounds;

    private final AtomicLong batches = new AtomicLong();
    private final Map<Long, Integer> acknowledged = new ConcurrentHashMap<>();
    private final AtomicLong shed = new AtomicLong();
    private final AtomicLong failed = new AtomicLong();
    private final AtomicLong loggingClients = new AtomicLong();
    private volatile boolean bursting;
    private RunningPlatform system;
    private LoadClient logs;
    private String bearer;

    /** All phases of one kind. */
    private static final class Phases {
        final String name;
        final Histogram post = new Histogram(3);
        /** In milliseconds, of each phase. */
        final List<Double> p99s = new ArrayList<>();

        final Set<String> failures = new TreeSet<>();
        long accepted;
        long rejected;

        Phases(String name) {
            this.name = name;
        }

        void add(Results results) {
            post.add(results.post);
            p99s.add(results.post.getValueAtPercentile(99) / 1e3);
            accepted += results.accepted.get();
            rejected += results.shed.get() + results.failed.get();
            failures.addAll(results.failures);
        }

        /** The median: a phase in which the machine did something else says nothing. */
        double medianP99() {
            var sorted = p99s.stream().sorted().toList();
            return (sorted.get((sorted.size() - 1) / 2) + sorted.get(sorted.size() / 2)) / 2;
        }

        String millis(double percentile) {
            return "%.1f".formatted(post.getValueAtPercentile(percentile) / 1e3);
        }
    }

    @Override
    boolean run(RunningPlatform platform, ShopClient shop) throws InterruptedException {
        system = platform;
        bearer = system.tokens().bearer(AccessTokens.TOOLS);
        var without = new Phases("without logs");
        var with = new Phases("during the burst");
        long placed;
        try (var load = new OrderLoadGenerator(system);
                var client = new LoadClient(system.url("notification-service", "/"), CLIENTS)) {
            logs = client;
            load.seed();
            say("warming up, with logs", WARM_UP, WARM_UP_FACTOR * rate);
            placed = withBurst(load, WARM_UP_FACTOR * rate, WARM_UP).accepted.get();
            var time = Duration.ofSeconds(seconds);
            for (int round = 0; round < rounds; round++) {
                // There and back: a machine that gets slower or faster does so for both.
                for (var phases : round % 2 == 0 ? List.of(without, with) : List.of(with, without)) {
                    say(phases.name, time, rate);
                    phases.add(phases == with ? withBurst(load, rate, time) : load.atRate(rate, time, 1));
                }
            }
        }
        long expected = placed + without.accepted + with.accepted;
        boolean confirmed = Await.within(
                MAX_WAIT,
                () -> system.number("orders", "SELECT count(*) FROM orders WHERE status = 'CONFIRMED'") == expected);
        print(without, with);
        return checkClaims(without, with, confirmed);
    }

    private static void say(String phase, Duration time, int rate) {
        System.out.printf("%s: %d s of %d orders/s%n", phase, time.toSeconds(), rate);
    }

    /** Orders beside a burst; returns when the burst has left no work behind. */
    private Results withBurst(OrderLoadGenerator load, int perSecond, Duration time) throws InterruptedException {
        bursting = true;
        for (int i = 0; i < CLIENTS; i++) {
            loggingClients.incrementAndGet();
            log("client-" + i);
        }
        var results = load.atRate(perSecond, time, 1);
        bursting = false;
        Await.within(MAX_WAIT, () -> loggingClients.get() == 0);
        // Lines that are missing after that are found by the check at the end.
        Await.within(
                MAX_WAIT,
                () -> system.number("notifications", "SELECT count(*) FROM client_log") >= acknowledgedLines());
        return results;
    }

    /** One batch after the other, each when the one before is answered, or when the service asks to retry. */
    private void log(String clientId) {
        if (!bursting) {
            loggingClients.decrementAndGet();
            return;
        }
        long batch = batches.incrementAndGet();
        logs.post("/logs", "application/x-ndjson", bearer, lines(clientId, batch))
                .onComplete(result -> {
                    long pause = PAUSE_AFTER_FAILURE_MILLIS;
                    if (result.succeeded()) {
                        var response = result.result();
                        pause = response.retryAfterMillis();
                        switch (response.status()) {
                            case 202 ->
                                acknowledged.put(
                                        batch, response.body().toJsonObject().getInteger("accepted"));
                            case 429 -> shed.incrementAndGet();
                            default -> failed.incrementAndGet();
                        }
                    } else {
                        failed.incrementAndGet();
                    }
                    logs.after(pause, () -> log(clientId));
                });
    }

    /** About a quarter of a megabyte. */
    private static Buffer lines(String clientId, long batch) {
        var lines = new StringBuilder();
        for (int line = 0; line < LINES; line++) {
            lines.append("{\"clientId\":\"").append(clientId);
            lines.append("\",\"at\":\"").append(Instant.now());
            lines.append("\",\"level\":\"INFO\",\"message\":\"")
                    .append(batch)
                    .append(' ')
                    .append(line);
            lines.append(" GET /products/").append(line * 7919 % 1_000);
            lines.append(" took ").append(line * 104_729 % 997);
            lines.append(" ms; the cart was shown again since the price of an item in it had changed\"}\n");
        }
        return Buffer.buffer(lines.toString());
    }

    private long acknowledgedLines() {
        return acknowledged.values().stream().mapToLong(Integer::longValue).sum();
    }

    /** Lines of acknowledged batches that are not in the table, and lines that are there twice. */
    private record Mistakes(long lost, long duplicated) {}

    private Mistakes mistakes() {
        try (var connection = system.connect("notifications");
                var statement = connection.createStatement();
                var rows = statement.executeQuery("""
                        SELECT split_part(message, ' ', 1)::bigint, count(DISTINCT message), count(*)
                        FROM client_log GROUP BY 1
                        """)) {
            var lines = new HashMap<Long, Long>();
            long duplicated = 0;
            while (rows.next()) {
                lines.put(rows.getLong(1), rows.getLong(2));
                duplicated += rows.getLong(3) - rows.getLong(2);
            }
            long lost = acknowledged.entrySet().stream()
                    .mapToLong(batch -> Math.max(0, batch.getValue() - lines.getOrDefault(batch.getKey(), 0L)))
                    .sum();
            return new Mistakes(lost, duplicated);
        } catch (SQLException e) {
            throw new CommandFailedException("cannot read the client logs: " + e.getMessage(), e);
        }
    }

    private void print(Phases without, Phases with) {
        System.out.println("\n"
                + table(
                        List.of(without, with),
                        List.of(
                                text("orders", p -> p.name),
                                number("accepted", p -> "%,d".formatted(p.accepted)),
                                number("rejected", p -> "%,d".formatted(p.rejected)),
                                number("POST p50 ms", p -> p.millis(50)),
                                number("p99 ms, of all", p -> p.millis(99)),
                                number("median of phases", p -> "%.1f".formatted(p.medianP99())),
                                number("max ms", p -> p.millis(100)))));
        for (var phases : List.of(without, with)) {
            phases.failures.forEach(failure -> System.out.println(phases.name + ": " + failure));
        }
        System.out.printf(
                "%nlogs: %,d lines acknowledged, %,.0f/s during a burst; %,d batches shed with 429, %,d failed%n",
                acknowledgedLines(),
                acknowledgedLines() / (double) (WARM_UP.toSeconds() + (long) rounds * seconds),
                shed.get(),
                failed.get());
    }

    private boolean checkClaims(Phases without, Phases with, boolean confirmed) {
        var mistakes = mistakes();
        double slowdown = with.medianP99() / without.medianP99();
        return check("every order was accepted", without.rejected + with.rejected == 0)
                & check("every order was confirmed", confirmed)
                & check("there was a burst: batches were shed", shed.get() > 0)
                & check("acknowledged lines that are not in the table: " + mistakes.lost, mistakes.lost == 0)
                & check("lines that are there twice: " + mistakes.duplicated, mistakes.duplicated == 0)
                & check(
                        "median p99 of orders, during the burst over without: %.2f, at most %.0f"
                                .formatted(slowdown, MAX_SLOWDOWN),
                        slowdown <= MAX_SLOWDOWN);
    }
}
