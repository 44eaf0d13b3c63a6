package dev.orderly.lab.scenario;

import dev.orderly.lab.load.LoadClient;
import dev.orderly.lab.load.OrderLoadGenerator;
import dev.orderly.platform.config.CommandFailedException;
import dev.orderly.platform.operations.AccessTokens;
import dev.orderly.testkit.Await;
import dev.orderly.testkit.RunningPlatform;
import dev.orderly.testkit.ShopClient;
import io.vertx.core.buffer.Buffer;
import java.io.IOException;
import java.nio.file.Files;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * {@code ./orderly scenario overload}: load doubles beyond what payment-service consumes, the alert of
 * Prometheus fires, Alertmanager reports it, the launcher adds instances, and takes them away when it is
 * over.
 *
 * <p>On one machine another instance brings no processor. What it brings is that more is waited for at the
 * same time, as with a database that is reached by a network. So payment-service's database takes its time
 * over each event, in which no processor is busy; nothing else is changed, the rules of Prometheus least.
 */
@Command(
        name = "overload",
        description = "Load doubles beyond what is consumed: an alert fires, instances are added, the backlog falls,"
                + " and when load falls they are taken away; every order in order.")
public final class OverloadScenario extends Scenario {
    private static final String SERVICE = "payment-service";
    private static final String ALERT = "BacklogAbove80Percent";
    private static final String OPERATORS = "operators@orderly.example";

    /**
     * About 30 orders/s: of each, one event is recorded there and one published. Half of it in either
     * statement, for each of a batch has to end within 5 s.
     */
    private static final String SLOW_DATABASE = """
            CREATE FUNCTION takes_its_time() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN PERFORM pg_sleep(0.016); RETURN NEW; END $$;
            CREATE TRIGGER takes_its_time BEFORE INSERT ON inbox FOR EACH ROW EXECUTE FUNCTION takes_its_time();
            CREATE TRIGGER takes_its_time BEFORE INSERT ON outbox FOR EACH ROW
            WHEN (NEW.topic = 'order-service') EXECUTE FUNCTION takes_its_time();
            """;

    private static final String OUT_OF_ORDER = """
            SELECT count(*) FROM (
                SELECT string_agg(type, ' ' ORDER BY position) AS types FROM order_view_event GROUP BY order_id)
            WHERE types <> 'OrderPlaced StockReserved PaymentCaptured OrderConfirmed'
            """;

    private static final int LINES = 20;
    private static final Duration BEFORE = Duration.ofSeconds(75);
    private static final Duration REPORT = Duration.ofSeconds(10);
    /** Of doubled load that is accepted in full. */
    private static final Duration HELD = Duration.ofSeconds(30);

    private static final Duration MAX_PHASE = Duration.ofMinutes(8);
    private static final Duration MAX_END = Duration.ofMinutes(3);

    @Option(
            names = "--rate",
            paramLabel = "N",
            defaultValue = "20",
            description = "Orders/s before and after; twice as many come in between. (default: ${DEFAULT-VALUE})")
    int rate;

    private final AtomicLong accepted = new AtomicLong();
    private final AtomicLong shed = new AtomicLong();
    private final AtomicLong failed = new AtomicLong();
    private final AtomicLong loggedLines = new AtomicLong();
    private volatile int offered;
    private volatile boolean ended;
    private RunningPlatform platform;
    private Prometheus prometheus;
    private Instant start;
    private boolean mailed;

    /** What Prometheus says of now. */
    private record State(double backlog, int instances, boolean firing) {}

    @Override
    boolean needsObservers() {
        return true;
    }

    @Override
    boolean run(RunningPlatform system, ShopClient shop) throws InterruptedException {
        platform = system;
        prometheus = new Prometheus(system);
        system.execute("payments", SLOW_DATABASE);
        boolean relieved;
        boolean shrunk;
        Instant doubled;
        Instant halved;
        try (var load = new OrderLoadGenerator(system);
                var logs = new LoadClient(system.url("notification-service", "/"), 1)) {
            load.seed();
            start = Instant.now();
            offered = rate;
            var bearer = system.tokens().bearer(AccessTokens.TOOLS);
            var customers = Thread.ofVirtual().start(() -> customers(load, logs, bearer));
            say("%d orders/s, from now on; %s takes 32 ms for each order, without a processor"
                    .formatted(rate, SERVICE));
            watch(BEFORE, _ -> false);

            doubled = Instant.now();
            offered = 2 * rate;
            say("load doubles to %d orders/s".formatted(offered));
            relieved = watch(MAX_PHASE, this::isRelieved);

            halved = Instant.now();
            offered = rate;
            say("load is %d orders/s again".formatted(offered));
            shrunk = watch(MAX_PHASE, state -> state.instances == 1);
            ended = true;
            customers.join();
        }
        boolean decided = Await.within(
                MAX_END,
                () -> system.number("orders", "SELECT count(*) FROM order_view WHERE status = 'CONFIRMED'")
                        == accepted.get());
        draw(system, List.of(doubled, halved));
        return checkGrowth(relieved, shrunk) & checkOrders(system, decided);
    }

    /** An open loop: those of the next second do not wait for the answers of the last one. */
    private void customers(OrderLoadGenerator load, LoadClient logs, String bearer) {
        try (var seconds = Executors.newVirtualThreadPerTaskExecutor()) {
            while (!ended) {
                seconds.execute(() -> order(load));
                log(logs, bearer);
                TimeUnit.SECONDS.sleep(1);
            }
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    /** For a second. */
    private void order(OrderLoadGenerator load) {
        try {
            var results = load.atRate(offered, Duration.ofSeconds(1), 0);
            accepted.addAndGet(results.accepted.get());
            shed.addAndGet(results.shed.get());
            failed.addAndGet(results.failed.get());
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    private void log(LoadClient logs, String bearer) {
        var line = "{\"clientId\":\"overload\",\"at\":\"%s\",\"level\":\"INFO\",\"message\":\"still here\"}\n"
                .formatted(Instant.now());
        logs.post("/logs", "application/x-ndjson", bearer, Buffer.buffer(line.repeat(LINES)))
                .onSuccess(response -> {
                    if (response.status() == 202) {
                        loggedLines.addAndGet(LINES);
                    }
                });
    }

    private interface Condition {
        boolean holds(State state) throws InterruptedException;
    }

    /** Reports until the condition holds, or the time is over; returns whether it holds. */
    private boolean watch(Duration atMost, Condition condition) throws InterruptedException {
        var end = Instant.now().plus(atMost);
        while (Instant.now().isBefore(end)) {
            long acceptedBefore = accepted.get();
            long shedBefore = shed.get();
            TimeUnit.MILLISECONDS.sleep(REPORT.toMillis());
            var state = state();
            mailed = mailed || operatorsHaveMail();
            say("accepted %d/s, shed %d/s, backlog %3.0f %% of capacity, %d instances%s"
                    .formatted(
                            (accepted.get() - acceptedBefore) / REPORT.toSeconds(),
                            (shed.get() - shedBefore) / REPORT.toSeconds(),
                            100 * state.backlog,
                            state.instances,
                            state.firing ? ", " + ALERT + " fires" : ""));
            if (condition.holds(state)) {
                return true;
            }
        }
        return false;
    }

    private State state() throws InterruptedException {
        return new State(
                prometheus.now("max(orderly:group_backlog:ratio{service='" + SERVICE + "'})"),
                (int) prometheus.now("orderly:service_instances:count{service='" + SERVICE + "'}"),
                prometheus.now("count(ALERTS{alertname='%s', alertstate='firing', service='%s'})"
                                .formatted(ALERT, SERVICE))
                        > 0);
    }

    /** Looked at often: the mail server keeps the last mailboxes alone, and each customer has one. */
    private boolean operatorsHaveMail() throws InterruptedException {
        return platform.ask("GET", platform.mailApi("/api/user/" + OPERATORS + "/messages"), null)
                .orElse("")
                .contains("[firing] " + ALERT);
    }

    /** Twice the load, all of it accepted for a while, hardly a backlog, and more instances than one. */
    private boolean isRelieved(State state) throws InterruptedException {
        var all = 0.9 * 2 * rate;
        return state.instances > 1
                && state.backlog < 0.2
                && !state.firing
                && prometheus.now("min_over_time(sum(rate(orderly_orders_accepted_total[30s]))[%ds:10s])"
                                .formatted(HELD.toSeconds()))
                        > all;
    }

    private void draw(RunningPlatform system, List<Instant> changes) throws InterruptedException {
        var chart = new OverloadChart(start, Instant.now(), changes);
        chart.firing(range("ALERTS{alertname='%s', alertstate='firing', service='%s'}".formatted(ALERT, SERVICE)));
        chart.panel(
                "orders/s",
                range("sum(rate(orderly_orders_accepted_total[30s]))"),
                "accepted",
                range("sum(rate(orderly_orders_shed_total[30s])) or on () vector(0)"),
                "shed with 503");
        chart.panel(
                "backlog of payment-service, % of capacity",
                range("100 * max(orderly:group_backlog:ratio{service='" + SERVICE + "'})"),
                "",
                range("vector(80)"),
                "alert above 80");
        chart.panel(
                "instances of payment-service",
                range("orderly:service_instances:count{service='" + SERVICE + "'}"),
                "",
                List.of(),
                "");
        chart.panel(
                "lines of client logs that wait",
                range("sum(orderly_group_lag_records{group='client-log-consumer-group'})"),
                "paused while orders are late",
                List.of(),
                "");
        var file = system.data().resolve("overload.svg");
        try {
            Files.writeString(file, chart.svg());
        } catch (IOException e) {
            throw new CommandFailedException("cannot write " + file + ": " + e, e);
        }
        System.out.println("\nchart: " + file + "\n");
    }

    private List<Prometheus.Sample> range(String expression) throws InterruptedException {
        return prometheus.range(expression, start, Instant.now());
    }

    private boolean checkGrowth(boolean relieved, boolean shrunk) throws InterruptedException {
        var fired = range("ALERTS{alertname='%s', alertstate='firing', service='%s'}".formatted(ALERT, SERVICE));
        var most = range("orderly:service_instances:count{service='" + SERVICE + "'}").stream()
                .mapToDouble(Prometheus.Sample::value)
                .max()
                .orElse(0);
        return check("the alert " + ALERT + " has fired", !fired.isEmpty())
                & check("the operators have got a mail about it", mailed)
                & check("the launcher has added instances: there were %.0f".formatted(most), most > 1)
                & check(
                        "with them twice the load is accepted in full for %d s, and the backlog is gone"
                                .formatted(HELD.toSeconds()),
                        relieved)
                & check("when load is what it was, there is one again", shrunk);
    }

    private boolean checkOrders(RunningPlatform system, boolean decided) throws InterruptedException {
        long outOfOrder = system.number("orders", OUT_OF_ORDER);
        long parked = RunningPlatform.DATABASES.stream()
                .mapToLong(database -> system.number(database, "SELECT count(*) FROM parked_event"))
                .sum();
        boolean stored = Await.within(
                MAX_END, () -> system.number("notifications", "SELECT count(*) FROM client_log") == loggedLines.get());
        boolean paused = range("max(orderly_non_core_paused)").stream().anyMatch(sample -> sample.value() == 1);
        System.out.printf(
                Locale.ROOT,
                "%n%,d orders were accepted, %,d shed with a 503, %d failed%n",
                accepted.get(),
                shed.get(),
                failed.get());
        return check("every order that was accepted is confirmed, none was cancelled at its deadline", decided)
                & check("orders whose events are not in order: " + outOfOrder, outOfOrder == 0)
                & check("parked events: " + parked, parked == 0)
                & check("client logs were paused while orders were late", paused)
                & check("each of the %,d lines of client logs is stored".formatted(loggedLines.get()), stored)
                & check("requests that were neither accepted nor shed: " + failed.get(), failed.get() == 0);
    }

    private void say(String what) {
        System.out.printf(
                Locale.ROOT,
                "%4d s  %s%n",
                Duration.between(start, Instant.now()).toSeconds(),
                what);
    }
}
