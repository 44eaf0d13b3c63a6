package dev.orderly.lab.scenario;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.stream.Collectors.groupingBy;
import static java.util.stream.Collectors.toList;

import dev.orderly.lab.chaos.check.TopicReader;
import dev.orderly.lab.chaos.check.ViewRebuildCheck;
import dev.orderly.lab.chaos.fault.Sql;
import dev.orderly.lab.scenario.SteadyOrders.End;
import dev.orderly.lab.scenario.SteadyOrders.Placed;
import dev.orderly.platform.Platform;
import dev.orderly.platform.config.CommandFailedException;
import dev.orderly.testkit.Await;
import dev.orderly.testkit.RunningPlatform;
import dev.orderly.testkit.ShopClient;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import picocli.CommandLine.Command;

/**
 * {@code ./orderly scenario evolution}: while orders are placed, the service that writes OrderPlaced and
 * the one that reads it are replaced by a version in which a field of it is renamed, one is added, and one
 * has another unit: the reader first, and back, and then the writer first. The two versions are two programs,
 * which run side by side, as in any rollout; and the topic holds what either has written.
 */
@Command(
        name = "evolution",
        description =
                "Roll out a version that changes an event, under load: the reader first, back, and the writer first;"
                        + " then rebuild the view from what both have written.")
public final class EvolutionScenario extends Scenario {
    private static final String WRITER = "order-service";
    /** The others skip what is changed by its header, unread; and order-service's view reads it, too. */
    private static final String READER = "inventory-service";

    /** That are placed before the next step, in each state of the rollout. */
    private static final int ORDERS_A_STEP = 40;

    private static final Duration MAX_DECISIONS = Duration.ofSeconds(180);

    private static final String DECIDED =
            "SELECT count(*) FROM order_view WHERE status IN ('CONFIRMED', 'REJECTED', 'CANCELLED')";

    /** Of each order in the view: id, milliseconds from its first event to its last, status, events. */
    private static final String HISTORIES = """
            SELECT concat_ws(' ', order_id, (extract(epoch FROM max(occurred_at) - min(occurred_at)) * 1000)::bigint,
                view.status, string_agg(event.type, ' ' ORDER BY event.position))
            FROM order_view view JOIN order_view_event event USING (order_id)
            GROUP BY order_id, view.status
            """;

    private static final String PARKED =
            "SELECT concat_ws(', ', consumer, type, detail) FROM parked_event ORDER BY seq";

    private RunningPlatform system;
    private RollingServices services;
    private SteadyOrders orders;
    private Instant start;

    private record History(long millis, String text) {}

    /**
     * What the topic has.
     *
     * @param events types, by order and in order, each event once
     * @param placed the OrderPlaced of each order, byte by byte
     */
    private record Topic(Map<String, List<String>> events, Map<String, String> placed) {
        /** Version 2 names the customer twice, since it renames that field; in any format. */
        int version(Placed order) {
            var value = placed.getOrDefault(order.id(), "");
            return value.indexOf(order.customer()) == value.lastIndexOf(order.customer()) ? 1 : 2;
        }
    }

    /** Without the services, which are started here, and stopped. */
    @Override
    protected Platform.Scope scope() {
        return new Platform.Scope(false, true, true, false, false, false);
    }

    @Override
    boolean run(RunningPlatform platform, ShopClient shop) throws InterruptedException {
        system = platform;
        start = Instant.now();
        try (var rolling = new RollingServices(system, buildNextVersion())) {
            services = rolling;
            services.start(RunningPlatform.SERVICES, 1);
            orders = new SteadyOrders(services, WRITER, READER, system.tokens());
            orders.seed();
            say("version 1 of all services is ready");

            var byFirst = rollOutAndBack();
            var bySecond = rollOutWriterFirst();
            return report(byFirst, bySecond);
        } catch (IOException | SQLException e) {
            throw new CommandFailedException("the scenario ended early: " + e.getMessage(), e);
        }
    }

    private Map<String, Path> buildNextVersion() throws IOException {
        if (system.environment(WRITER).get("ORDERLY_EVENT_FORMAT").equals("protobuf")) {
            throw new CommandFailedException(
                    "protobuf needs descriptors, which protoc makes at build time: --event-format=json or avro");
        }
        var next = new NextVersion(system.data().resolve("version-2"));
        var changed = next.build(NextVersion.classPath(WRITER));
        var targets = new HashMap<String, Path>();
        for (var service : List.of(WRITER, READER)) {
            targets.put(service, next.service(service));
        }
        say("version 2 of %s and %s is built: version-2.patch changes %s"
                .formatted(WRITER, READER, String.join(", ", changed)));
        return targets;
    }

    /** Returns the orders that a rebuild by version 1 makes something else of. */
    private List<String> rollOutAndBack() throws IOException, InterruptedException, SQLException {
        say("the reader first: %d orders/s from now on".formatted(SteadyOrders.PER_SECOND));
        orders.begin();
        orders.awaitMore(ORDERS_A_STEP);
        replace(READER, 2);
        replace(WRITER, 2);
        say("and back, so that version 1 reads what version 2 writes");
        replace(READER, 1);
        replace(WRITER, 1);
        return rebuild();
    }

    /** Returns the orders that a rebuild by version 2 makes something else of. */
    private List<String> rollOutWriterFirst() throws IOException, InterruptedException, SQLException {
        say("the writer first: %d orders/s from now on".formatted(SteadyOrders.PER_SECOND));
        orders.begin();
        replace(WRITER, 2);
        replace(READER, 2);
        return rebuild();
    }

    /** The new ones join before the former leave. */
    private void replace(String service, int version) throws IOException, InterruptedException, SQLException {
        services.start(List.of(service), version);
        int former = 3 - version;
        say("%s: version %d has joined version %d".formatted(service, version, former));
        orders.awaitMore(ORDERS_A_STEP);
        var withdrawn = services.withdraw(service, former);
        orders.awaitAnswers();
        RollingServices.stop(withdrawn);
        say("%s: version %d has left".formatted(service, former));
        orders.awaitMore(ORDERS_A_STEP);
        requireNothingParked();
    }

    /** Else the orders pile up behind it, and the next step would wait for nothing. */
    private void requireNothingParked() throws SQLException {
        for (var database : RunningPlatform.DATABASES) {
            var parked = Sql.column(system, database, PARKED);
            if (!parked.isEmpty()) {
                throw new CommandFailedException(
                        "%d events are parked, the first of them: %s".formatted(parked.size(), parked.getFirst()));
            }
        }
    }

    /** When the load has ended, and all is decided. */
    private List<String> rebuild() throws IOException, InterruptedException, SQLException {
        orders.end();
        int placed = orders.placed().size();
        Await.until(MAX_DECISIONS, "decisions on all orders", () -> system.number("orders", DECIDED) == placed);
        var service = services.next(WRITER);
        say("all are decided; version %d rebuilds the view".formatted(service.version()));
        var differences = ViewRebuildCheck.differences(system, service.url("/"));
        say("it is rebuilt");
        return differences;
    }

    private boolean report(List<String> differencesBefore, List<String> differencesAfter)
            throws InterruptedException, SQLException {
        var placed = orders.placed();
        var histories = histories();
        var topic = readTopic();
        System.out.println("\n" + table(placed, histories) + "\n");
        var wrong = placed.stream()
                .filter(order -> !isRight(order, histories.get(order.id()), topic))
                .map(Placed::id)
                .toList();
        var byVersion = placed.stream().collect(groupingBy(topic::version, TreeMap::new, toList()));
        long misattributed = placed.stream()
                .filter(order -> topic.version(order) != order.writer())
                .count();
        long parked = RunningPlatform.DATABASES.stream()
                .mapToLong(database -> system.number(database, "SELECT count(*) FROM parked_event"))
                .sum();
        byVersion.forEach((version, ofVersion) ->
                printExample(version, topic.placed.get(ofVersion.getFirst().id())));
        System.out.printf(
                Locale.ROOT, "%,d orders were accepted, %,d requests shed with a 503%n", placed.size(), orders.shed());
        return check("requests that were neither accepted nor shed: " + orders.failed(), orders.failed() == 0)
                & check(
                        "orders that were not decided once, as they had to be, by events in order: " + wrong.size(),
                        wrong.isEmpty() && histories.size() == placed.size())
                & check("parked events: " + parked, parked == 0)
                & checkStockAndMoney()
                & check(
                        "the topic holds OrderPlaced of both versions, from the instances of each: %s and %s"
                                .formatted(count(byVersion, 1), count(byVersion, 2)),
                        byVersion.size() == 2 && misattributed == 0)
                & check("the view that version 1 rebuilds from both is as it was", differencesBefore.isEmpty())
                & check("the view that version 2 rebuilds from both is as it was", differencesAfter.isEmpty());
    }

    private static String count(Map<Integer, List<Placed>> byVersion, int version) {
        return "%,d of version %d"
                .formatted(byVersion.getOrDefault(version, List.of()).size(), version);
    }

    private static void printExample(int version, String value) {
        if (value != null && value.startsWith("{")) {
            System.out.println("version " + version + "  " + value + "\n");
        }
    }

    private boolean checkStockAndMoney() throws InterruptedException {
        long units = orders.unitsToSell();
        long cents = orders.toSpend();
        boolean settled = Await.within(MAX_DECISIONS, () -> orders.unitsSold() == units && orders.spent() == cents);
        return check("%,d units are sold, for %,.2f EUR".formatted(units, cents / 100.0), settled);
    }

    private static boolean isRight(Placed order, History history, Topic topic) {
        var expected = order.end().history;
        var events = String.join(" ", topic.events.getOrDefault(order.id(), List.of()));
        return history != null && history.text.equals(expected) && expected.endsWith(" " + events);
    }

    private Map<String, History> histories() throws SQLException {
        var histories = new HashMap<String, History>();
        for (var row : Sql.column(system, "orders", HISTORIES)) {
            var fields = row.split(" ", 3);
            histories.put(fields[0], new History(Long.parseLong(fields[1]), fields[2]));
        }
        return histories;
    }

    private Topic readTopic() {
        var topic = new Topic(new HashMap<>(), new HashMap<>());
        var seen = new HashSet<String>();
        TopicReader.readToEnd(system, RunningPlatform.TOPIC::equals, record -> {
            var order = new String(record.key(), UTF_8);
            var type = header(record, "type");
            if (seen.add(header(record, "id"))) {
                topic.events.computeIfAbsent(order, _ -> new ArrayList<>()).add(type);
            }
            if (type.equals("OrderPlaced")) {
                topic.placed.put(order, new String(record.value(), ISO_8859_1));
            }
        });
        return topic;
    }

    private static String header(ConsumerRecord<byte[], byte[]> record, String name) {
        return new String(record.headers().lastHeader(name).value(), UTF_8);
    }

    /** A row for each pair of versions that have met. */
    private static String table(List<Placed> placed, Map<String, History> histories) {
        var rows = placed.stream()
                .collect(groupingBy(
                        order -> List.of(String.valueOf(order.writer()), order.readers()),
                        LinkedHashMap::new,
                        toList()));
        return table(
                new ArrayList<>(rows.entrySet()),
                List.of(
                        text("written by version", row -> row.getKey().getFirst()),
                        text("read by version", row -> row.getKey().getLast()),
                        number("orders", row -> String.valueOf(row.getValue().size())),
                        number("confirmed", row -> String.valueOf(count(row.getValue(), true))),
                        number("rejected", row -> String.valueOf(count(row.getValue(), false))),
                        number("median ms to be decided", row -> millis(row.getValue(), histories, 0.5)),
                        number("longest", row -> millis(row.getValue(), histories, 1))));
    }

    private static long count(List<Placed> orders, boolean confirmed) {
        return orders.stream()
                .filter(order -> (order.end() == End.CONFIRMED) == confirmed)
                .count();
    }

    private static String millis(List<Placed> orders, Map<String, History> histories, double quantile) {
        var millis = orders.stream()
                .map(order -> histories.get(order.id()))
                .filter(Objects::nonNull)
                .mapToLong(History::millis)
                .sorted()
                .toArray();
        return millis.length == 0 ? "-" : String.valueOf(millis[(int) ((millis.length - 1) * quantile)]);
    }

    private void say(String what) {
        System.out.printf(
                Locale.ROOT,
                "%4d s %,6d orders  %s%n",
                Duration.between(start, Instant.now()).toSeconds(),
                orders == null ? 0 : orders.placed().size(),
                what);
    }
}
