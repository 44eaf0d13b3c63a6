package dev.orderly.lab.scenario;

import static dev.orderly.testkit.ShopClient.expect;
import static dev.orderly.testkit.ShopClient.id;
import static dev.orderly.testkit.ShopClient.order;
import static dev.orderly.testkit.ShopClient.send;
import static java.nio.charset.StandardCharsets.UTF_8;

import dev.orderly.platform.config.CommandFailedException;
import dev.orderly.platform.connect.SinkWorker;
import dev.orderly.testkit.Await;
import dev.orderly.testkit.RunningPlatform;
import dev.orderly.testkit.ShopClient;
import java.io.IOException;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ThreadLocalRandom;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import picocli.CommandLine.Command;

/**
 * {@code ./orderly scenario erp-crm}: the databases of an ERP and a CRM follow the topics, while their sink
 * is frozen and killed, they keep it out, their server is killed, and one event comes that cannot be written.
 * Then both topics are read again from the start, which must change nothing.
 */
@Command(
        name = "erp-crm",
        description = "Keep an ERP and a CRM up to date; kill the sink and the database; read the topics again.")
public final class ErpCrmScenario extends Scenario {
    private static final Duration MAX_WAIT = Duration.ofSeconds(90);
    private static final Duration POLL = Duration.ofMillis(100);
    private static final int ROUND = 20;
    private static final int UNITS = 2;
    private static final int PRICE = 19_99;
    private static final String UNDECIDED =
            "SELECT count(*) FROM orders WHERE status NOT IN ('CONFIRMED', 'REJECTED', 'CANCELLED')";

    /** As order-service has them, and the ERP should. */
    private final Set<String> orders = new TreeSet<>();

    private final Set<String> customers = new TreeSet<>();
    private RunningPlatform system;
    private ShopClient shop;

    public ErpCrmScenario() {
        erpCrm = true;
    }

    @Override
    boolean run(RunningPlatform platform, ShopClient client) throws InterruptedException {
        system = platform;
        shop = client;
        shop.putProduct("mug", "Mug", PRICE);
        shop.putProduct("rare", "Rare", PRICE);
        shop.putStock("mug", 10_000);
        try {
            place("with everything intact");
            register("Ann");
            String bob = register("Bob");
            boolean followed = caughtUp();
            erase(bob);
            boolean forgotten = caughtUp();

            system.signal("STOP", SinkWorker.NAME);
            var invalid = publishInvalid();
            place("while the sink is frozen, behind an event that cannot be written");
            erase(register("Cid"));
            system.awaitRestart(system.kill(SinkWorker.NAME));
            boolean afterKill = caughtUp();

            lock("ALTER ROLE %s_sink NOLOGIN");
            place("while neither database lets the sink in");
            String dan = register("Dan");
            lock("ALTER ROLE %s_sink LOGIN");
            boolean afterLock = caughtUp();
            erase(dan);

            system.awaitRestart(system.kill("postgres"));
            awaitServices();
            place("after the database was killed");
            boolean afterOutage = caughtUp();

            readAgain();
            int undecided = maxUndecidedUntilRead();
            System.out.println();
            return check("ERP and CRM follow the topics", followed)
                    & check("who was erased is gone from the CRM", forgotten)
                    & check("a sink that was frozen and killed catches up", afterKill)
                    & check("one whose databases kept it out catches up", afterLock)
                    & check("one whose server was killed catches up", afterOutage)
                    & check("while all is read again no order goes back: " + undecided + " did", undecided == 0)
                    & check("then the ERP has " + orders.size() + " orders as order-service has them", erpIsRight())
                    & check("and the CRM those " + customers.size() + " customers who exist", crmIsRight())
                    & check(
                            "the event that cannot be written is the only dead letter",
                            deadLetters().equals(invalid))
                    & check(
                            "everything else runs: " + system.brokenParts(),
                            system.brokenParts().isEmpty());
        } catch (IOException | ExecutionException e) {
            throw new CommandFailedException("the scenario ended early: " + e.getMessage(), e);
        }
    }

    /** Some are confirmed, some are out of stock, some cannot be paid; some are cancelled. */
    private void place(String when) throws InterruptedException {
        String rich = UUID.randomUUID().toString();
        String poor = UUID.randomUUID().toString();
        shop.deposit(rich, (long) ROUND * UNITS * PRICE);
        var placed = new ArrayList<String>();
        for (int i = 0; i < ROUND; i++) {
            String customer = i % 4 == 1 ? poor : rich;
            String sku = i % 4 == 2 ? "rare" : "mug";
            placed.add(id(shop.place(order(customer, Map.of(sku, UNITS)))));
            if (i % 4 == 3) {
                shop.cancel(customer, placed.getLast());
            }
        }
        for (String id : placed) {
            var order = shop.awaitEnd(id);
            var line = order.at("/lines/0");
            orders.add(String.join(
                    " ",
                    id,
                    order.path("customerId").asText(),
                    order.path("status").asText(),
                    order.path("reason").asText("-"),
                    order.at("/total/amount").asText(),
                    line.path("sku").asText(),
                    line.path("quantity").asText(),
                    line.at("/unitPrice/amount").asText()));
        }
        System.out.println(ROUND + " orders were placed " + when);
    }

    /** After an outage of the database they are ready again a moment later than it is. */
    private void awaitServices() throws InterruptedException {
        for (String service : RunningPlatform.SERVICES) {
            Await.until(
                    MAX_WAIT,
                    service + " to be ready",
                    () -> system.askManagement(service, "/q/health/ready").isPresent());
        }
    }

    /** Their server stays up, as the services need it. */
    private void lock(String alteration) {
        for (String database : List.of("erp", "crm")) {
            system.execute(database, alteration.formatted(database));
            system.execute(
                    "postgres",
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '" + database + "_sink'");
        }
    }

    private String register(String name) throws InterruptedException {
        var number = "%08d".formatted(ThreadLocalRandom.current().nextInt(100_000_000));
        var person =
                Map.of("name", name + " Example", "mail", name + number + "@shop.example", "phone", "+49151" + number);
        String customer = id(send("POST", system.url("order-service", "/customers"), person));
        customers.add(customer);
        return customer;
    }

    private void erase(String customer) throws InterruptedException {
        expect(shop.asStaff("DELETE", system.url("order-service", "/customers/" + customer), null));
        customers.remove(customer);
    }

    private boolean caughtUp() throws InterruptedException {
        return Await.within(MAX_WAIT, () -> erpIsRight() && crmIsRight());
    }

    private boolean erpIsRight() {
        return rows("erp", """
                SELECT concat_ws(' ', id, customer_id, status, coalesce(reason, '-'), total, sku, quantity, unit_price)
                FROM orders LEFT JOIN order_line ON order_id = id
                """).equals(orders);
    }

    private boolean crmIsRight() {
        return rows("crm", "SELECT id FROM customer").equals(customers);
    }

    private Set<String> rows(String database, String query) {
        try (var connection = system.connect(database);
                var statement = connection.createStatement();
                var rows = statement.executeQuery(query)) {
            var found = new TreeSet<String>();
            while (rows.next()) {
                found.add(rows.getString(1));
            }
            return found;
        } catch (SQLException e) {
            throw new CommandFailedException("cannot query " + database + ": " + e.getMessage(), e);
        }
    }

    /**
     * One of a type that no service knows, so that they skip it; no database takes its text for JSON. Returns
     * its id.
     */
    private Set<String> publishInvalid() throws InterruptedException, ExecutionException {
        String id = UUID.randomUUID().toString();
        try (var producer =
                new KafkaProducer<>(system.kafka(Map.of()), new StringSerializer(), new StringSerializer())) {
            var event = new ProducerRecord<>(
                    RunningPlatform.TOPIC, UUID.randomUUID().toString(), "{no JSON");
            Map.of("id", id, "type", "StockCounted", "source", "scenario", "version", "1", "schema", "1")
                    .forEach((name, value) -> event.headers().add(name, value.getBytes(UTF_8)));
            producer.send(event).get();
        }
        return Set.of(id);
    }

    /** As docs/reference/operations.md says. */
    private void readAgain() throws InterruptedException, ExecutionException {
        for (var sink :
                Map.of("erp", RunningPlatform.TOPIC, "crm", "customer-service").entrySet()) {
            command(sink.getKey(), "PUT", "/stop", null);
            var partitions = system.admin()
                    .describeTopics(List.of(sink.getValue()))
                    .allTopicNames()
                    .get()
                    .get(sink.getValue())
                    .partitions();
            var start = partitions.stream()
                    .map(partition -> Map.of(
                            "partition",
                            Map.of("kafka_topic", sink.getValue(), "kafka_partition", partition.partition()),
                            "offset",
                            Map.of("kafka_offset", 0)))
                    .toList();
            command(sink.getKey(), "PATCH", "/offsets", ShopClient.toJson(Map.of("offsets", start)));
            command(sink.getKey(), "PUT", "/resume", null);
        }
    }

    /** Until it is possible: a connector does not stop at once. */
    private void command(String sink, String method, String path, String body) throws InterruptedException {
        Await.until(
                MAX_WAIT,
                "the connector " + sink + " to take " + path,
                () -> system.sink(method, "/" + sink + path, body).isPresent());
    }

    /** How many orders of the ERP were undecided at most, until the sinks have read everything again. */
    private int maxUndecidedUntilRead() throws InterruptedException, ExecutionException {
        long[] max = {0};
        Await.until(MAX_WAIT, "the sinks to read everything again", () -> {
            max[0] = Math.max(max[0], system.number("erp", UNDECIDED));
            return waiting("connect-erp") + waiting("connect-crm") == 0;
        });
        return (int) max[0];
    }

    private long waiting(String group) throws ExecutionException, InterruptedException {
        var committed = system.admin()
                .listConsumerGroupOffsets(group)
                .partitionsToOffsetAndMetadata()
                .get();
        var ends = new HashMap<TopicPartition, OffsetSpec>();
        committed.keySet().forEach(partition -> ends.put(partition, OffsetSpec.latest()));
        return system.admin().listOffsets(ends).all().get().entrySet().stream()
                .mapToLong(end ->
                        end.getValue().offset() - committed.get(end.getKey()).offset())
                .sum();
    }

    /** The ids of all events on both dead letter topics. */
    private Set<String> deadLetters() {
        var ids = new TreeSet<String>();
        try (var consumer =
                new KafkaConsumer<>(system.kafka(Map.of()), new StringDeserializer(), new StringDeserializer())) {
            var partitions = List.of(new TopicPartition("erp.dlq", 0), new TopicPartition("crm.dlq", 0));
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            var ends = consumer.endOffsets(partitions);
            while (partitions.stream().anyMatch(partition -> consumer.position(partition) < ends.get(partition))) {
                consumer.poll(POLL)
                        .forEach(letter -> ids.add(
                                new String(letter.headers().lastHeader("id").value(), UTF_8)));
            }
        }
        return ids;
    }
}
