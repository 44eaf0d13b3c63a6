package dev.orderly.lab.scenario;

import static dev.orderly.testkit.ShopClient.expect;
import static dev.orderly.testkit.ShopClient.json;
import static dev.orderly.testkit.ShopClient.send;
import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import com.github.freva.asciitable.AsciiTable;
import com.github.freva.asciitable.Column;
import com.github.freva.asciitable.HorizontalAlign;
import dev.orderly.platform.ServiceDefinition;
import dev.orderly.platform.config.CommandFailedException;
import dev.orderly.platform.config.PlatformSettings;
import dev.orderly.platform.config.Secrets;
import dev.orderly.platform.postgres.ServiceDatabases;
import dev.orderly.testkit.ShopClient;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.regex.Pattern;
import java.util.stream.StreamSupport;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;

/**
 * Customers from registration to erasure: what they get by mail and by SMS, what a code is good for, and that afterwards
 * nothing is left of a person, which is looked for in every table of every database, in the topics and in the logs.
 */
public final class RegistrationScenario {
    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final Duration POLL = Duration.ofMillis(100);
    private static final Pattern CODE = Pattern.compile("\\b\\d{6}\\b");

    private final PlatformSettings settings;
    private final List<ServiceDefinition> services;
    private final PrintStream out;
    private final URI customers;
    private final URI orders;
    private final URI mails;
    private final URI messages;
    private final Secrets secrets;
    private final ServiceDatabases databases;
    private final List<Check> checks = new ArrayList<>();

    private record Check(String what, boolean right, String seen) {}

    private record Person(String name, String mail, String phone) {
        static Person called(String name, int number) {
            return new Person(
                    name + " Example",
                    name.toLowerCase(java.util.Locale.ROOT) + "@shop.example",
                    "+4915112345%03d".formatted(number));
        }

        Map<String, String> registration() {
            return Map.of("name", name, "mail", mail, "phone", phone);
        }

        List<String> traces() {
            return List.of(name, mail, phone);
        }
    }

    public RegistrationScenario(PlatformSettings settings, List<ServiceDefinition> services, PrintStream out) {
        this.settings = settings;
        this.services = services;
        this.out = out;
        this.customers =
                ServiceDefinition.named(services, ServiceDefinition.ORDERS).url("/customers/");
        this.orders =
                ServiceDefinition.named(services, ServiceDefinition.ORDERS).url("/orders");
        this.mails = local(settings.ports().mailApi(), "/api/user/");
        this.messages = local(settings.ports().sms(), "/messages");
        this.secrets = Secrets.of(settings.data(), List.of());
        this.databases = ServiceDatabases.of(settings);
    }

    private static URI local(int port, String path) {
        return URI.create("http://" + PlatformSettings.HOST + ":" + port + path);
    }

    /** Runs it, prints what was seen, and says whether everything was right. */
    public boolean run() throws InterruptedException {
        var ann = Person.called("Ann", 1);
        var bob = Person.called("Bob", 2);
        String annId = register(ann, "ann-1");
        String bobId = register(bob, "bob-1");
        check(
                "a registration repeated under its key registers nobody",
                register(ann, "ann-1").equals(annId),
                "the same id");

        await(() -> mails(ann) == 1 && sms(ann).size() == 1 && mails(bob) == 1 && sms(bob).size() == 1);
        check("each got one welcome mail", mails(ann) == 1 && mails(bob) == 1, mails(ann) + " and " + mails(bob));
        check(
                "each got one SMS with a code",
                sms(ann).size() == 1 && sms(bob).size() == 1,
                sms(ann).size() + " and " + sms(bob).size());

        check("the right code verifies", verify(annId, code(ann)) == 200, "200");
        String wrong = code(bob).equals("000000") ? "000001" : "000000";
        var answers = new ArrayList<Integer>();
        for (int i = 0; i < 5; i++) {
            answers.add(verify(bobId, wrong));
        }
        answers.add(verify(bobId, code(bob)));
        check(
                "five wrong codes, and the right one is too late",
                answers.stream().allMatch(a -> a == 422),
                answers.toString());
        int soon = send("POST", customers.resolve(bobId + "/verification/codes"), null)
                .statusCode();
        check("another code can be had, but not at once", soon == 429, String.valueOf(soon));

        String order = order(annId);
        erase(ann, annId, order);
        print();
        return checks.stream().allMatch(Check::right);
    }

    private void erase(Person ann, String annId, String order) throws InterruptedException {
        await(() -> mails(ann) == 2); // about the order
        check("the mail about an order goes to the address of its customer", mails(ann) == 2, mails(ann) + " mails");
        check("before: the person is in these tables", !tablesWith(ann).isEmpty(), String.join(", ", tablesWith(ann)));
        expect(send("DELETE", customers.resolve(annId), null));
        await(() -> tablesWith(ann).isEmpty() && tombstones(annId) == 1);
        var left = tablesWith(ann);
        check("after: in none of any database", left.isEmpty(), left.isEmpty() ? "none" : String.join(", ", left));
        check(
                "the topic customer-service has a tombstone, by which Kafka forgets",
                tombstones(annId) == 1,
                tombstones(annId) + "");
        var elsewhere = topicsWith(ann);
        check(
                "no other topic ever had the person",
                elsewhere.equals(List.of("customer-service")),
                String.join(", ", elsewhere));
        var logs = logsWith(ann);
        check("nor has any log of ours", logs.isEmpty(), logs.isEmpty() ? "none" : String.join(", ", logs));
        String status = json(expect(send("GET", orders.resolve("orders/" + order), null)))
                .path("status")
                .asText();
        check("the order is there still", status.equals("REJECTED"), status);
    }

    private String register(Person person, String key) throws InterruptedException {
        return json(expect(send(
                        "POST",
                        URI.create(customers.toString().replaceAll("/$", "")),
                        person.registration(),
                        Map.of("Idempotency-Key", key))))
                .path("id")
                .asText();
    }

    private int verify(String id, String code) throws InterruptedException {
        return send("POST", customers.resolve(id + "/verification"), Map.of("code", code))
                .statusCode();
    }

    /** One that is rejected, since nothing is in stock; its mail is what counts. */
    private String order(String customer) throws InterruptedException {
        expect(send(
                "PUT",
                orders.resolve("/products/mug"),
                Map.of("name", "Mug", "price", Map.of("amount", 19_99, "currency", "EUR"))));
        var accepted = expect(send(
                "POST",
                orders,
                Map.of(
                        "customerId",
                        customer,
                        "lines",
                        List.of(Map.of("sku", "mug", "quantity", 1)),
                        "paymentMethod",
                        "BALANCE")));
        return ShopClient.awaitEnd(accepted).path("id").asText();
    }

    private int mails(Person person) {
        var answer = ask(mails.resolve(person.mail() + "/messages"), Map.of());
        return answer.isArray() ? answer.size() : 0; // it does not know who never got any
    }

    private List<String> sms(Person person) {
        var all = ask(messages, Map.of("Authorization", "Bearer " + secrets.of(Secrets.SMS_API_KEY)));
        return StreamSupport.stream(all.spliterator(), false)
                .filter(sms -> sms.path("to").asText().equals(person.phone()))
                .map(sms -> sms.path("text").asText())
                .toList();
    }

    private String code(Person person) {
        var code = CODE.matcher(sms(person).getLast());
        return code.find() ? code.group() : "none";
    }

    private static com.fasterxml.jackson.databind.JsonNode ask(URI url, Map<String, String> headers) {
        try {
            return json(send("GET", url, null, headers));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CommandFailedException("interrupted", e);
        }
    }

    private static boolean mentions(String text, Person person) {
        return person.traces().stream().anyMatch(text::contains);
    }

    /** Every table of every service's database in which a row has the person's name, mail or phone. */
    private List<String> tablesWith(Person person) {
        var found = new ArrayList<String>();
        for (var service : services) {
            try (var connection = databases.connect(service.database());
                    var statement = connection.createStatement()) {
                var tables = new ArrayList<String>();
                try (var rows = statement.executeQuery(
                        "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace")) {
                    while (rows.next()) {
                        tables.add(rows.getString(1));
                    }
                }
                for (String table : tables) {
                    try (var rows =
                            statement.executeQuery("SELECT EXISTS (SELECT FROM \"%1$s\" t WHERE t::text ~ '%2$s')"
                                    .formatted(
                                            table,
                                            String.join("|", person.traces())
                                                    .replace(".", "\\.")
                                                    .replace("+", "\\+")))) {
                        rows.next();
                        if (rows.getBoolean(1)) {
                            found.add(service.database() + "." + table);
                        }
                    }
                }
            } catch (SQLException e) {
                throw new CommandFailedException("cannot look into " + service.database() + ": " + e.getMessage(), e);
            }
        }
        return found;
    }

    private List<String> topicsWith(Person person) {
        return records().stream()
                .filter(record -> record.value() != null && mentions(record.value(), person))
                .map(ConsumerRecord::topic)
                .distinct()
                .sorted()
                .toList();
    }

    private long tombstones(String customer) {
        return records().stream()
                .filter(record -> customer.equals(record.key()) && record.value() == null)
                .count();
    }

    /** All that is on our topics. */
    private List<ConsumerRecord<String, String>> records() {
        var all = new ArrayList<ConsumerRecord<String, String>>();
        try (var consumer = new KafkaConsumer<>(
                Map.<String, Object>of("bootstrap.servers", settings.bootstrapServers()),
                new StringDeserializer(),
                new StringDeserializer())) {
            var partitions = consumer.listTopics().entrySet().stream()
                    .filter(topic ->
                            !topic.getKey().startsWith("__") && !topic.getKey().startsWith("connect"))
                    .flatMap(topic -> topic.getValue().stream())
                    .map(partition -> new TopicPartition(partition.topic(), partition.partition()))
                    .toList();
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            var ends = consumer.endOffsets(partitions);
            while (partitions.stream().anyMatch(partition -> consumer.position(partition) < ends.get(partition))) {
                consumer.poll(POLL).forEach(all::add);
            }
        }
        return all;
    }

    private List<String> logsWith(Person person) {
        try (var logs = Files.list(settings.data().resolve("log"))) {
            // The world outside has what was sent to it.
            return logs.filter(log -> !log.endsWith("simulators.log"))
                    .filter(log -> {
                        try {
                            return mentions(
                                    new String(Files.readString(log, ISO_8859_1).getBytes(ISO_8859_1), UTF_8), person);
                        } catch (IOException e) {
                            throw new UncheckedIOException(e);
                        }
                    })
                    .map(log -> log.getFileName().toString())
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void await(BooleanSupplier condition) throws InterruptedException {
        long end = System.nanoTime() + PATIENCE.toNanos();
        while (!condition.getAsBoolean() && System.nanoTime() < end) {
            TimeUnit.MILLISECONDS.sleep(POLL.toMillis());
        }
    }

    private void check(String what, boolean right, String seen) {
        checks.add(new Check(what, right, seen));
    }

    private void print() {
        out.println();
        out.println(AsciiTable.getTable(
                AsciiTable.NO_BORDERS,
                checks,
                List.of(
                        new Column()
                                .header("what")
                                .dataAlign(HorizontalAlign.LEFT)
                                .headerAlign(HorizontalAlign.LEFT)
                                .with(Check::what),
                        new Column()
                                .header("seen")
                                .dataAlign(HorizontalAlign.LEFT)
                                .headerAlign(HorizontalAlign.LEFT)
                                .maxWidth(34)
                                .with(Check::seen),
                        new Column().header("right?").with((Check check) -> check.right() ? "yes" : "NO"))));
    }
}
