package dev.orderly.lab.scenario;

import static dev.orderly.testkit.ShopClient.expect;
import static dev.orderly.testkit.ShopClient.id;
import static dev.orderly.testkit.ShopClient.json;
import static dev.orderly.testkit.ShopClient.send;
import static java.nio.charset.StandardCharsets.UTF_8;

import dev.orderly.platform.config.CommandFailedException;
import dev.orderly.platform.config.Secrets;
import dev.orderly.testkit.Await;
import dev.orderly.testkit.RunningPlatform;
import dev.orderly.testkit.ShopClient;
import java.io.IOException;
import java.net.URI;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import picocli.CommandLine.Command;

/**
 * {@code ./orderly scenario registration}: customers from registration to erasure. What they get by mail and
 * by SMS, what a verification code is good for, and that after the erasure no table, topic or log holds the
 * person's data.
 */
@Command(
        name = "registration",
        description = "Register customers, with welcome mail and SMS code; verify them; erase one from everywhere.")
public final class RegistrationScenario extends Scenario {
    private static final Duration MAX_WAIT = Duration.ofSeconds(30);
    private static final Duration POLL = Duration.ofMillis(100);
    private static final int MAX_WRONG_CODES = 5;
    private static final Pattern CODE = Pattern.compile("\\b\\d{6}\\b");
    /** Mail server and SMS provider are outside of the system: they hold what was sent to them. */
    private static final String OUTSIDE = "simulators";

    private final List<Check> checks = new ArrayList<>();
    private RunningPlatform system;
    private ShopClient shop;

    private record Check(String what, boolean right, Object seen) {}

    private record Person(String name, String mail, String phone) {
        /** With a phone and a mail address that no run before had: of each, few messages a day are sent. */
        static Person called(String name) {
            int number = ThreadLocalRandom.current().nextInt(100_000_000);
            return new Person(
                    name + " Example",
                    "%s-%d@shop.example".formatted(name.toLowerCase(Locale.ROOT), number),
                    "+49151%08d".formatted(number));
        }

        boolean isIn(String text) {
            return Stream.of(name, mail, phone).anyMatch(text::contains);
        }

        /** As a text, and as PostgreSQL shows bytes: an event in another format than JSON is no text. */
        String pattern() {
            var bytes = Stream.of(name, mail, phone)
                    .map(text -> HexFormat.of().formatHex(text.getBytes(UTF_8)))
                    .collect(Collectors.joining("|"));
            return String.join("|", name, mail, phone).replace(".", "\\.").replace("+", "\\+") + "|" + bytes;
        }
    }

    @Override
    boolean run(RunningPlatform platform, ShopClient shopClient) throws InterruptedException {
        system = platform;
        shop = shopClient;
        var ann = Person.called("Ann");
        var bob = Person.called("Bob");
        String annId = register(ann, ann.mail());
        String bobId = register(bob, bob.mail());
        String repeated = register(ann, ann.mail());
        check("a registration repeated under its key has no effect", repeated.equals(annId), "the same id");

        var messages = List.of(1, 1, 1, 1);
        Await.within(MAX_WAIT, () -> messages(ann, bob).equals(messages));
        check(
                "each got one welcome mail and one SMS with a code",
                messages(ann, bob).equals(messages),
                messages(ann, bob));

        String codeOfAnn = code(ann);
        int verified = verify(annId, codeOfAnn);
        check("the right code verifies", verified == 200, verified);
        String wrong = code(bob).equals("000000") ? "000001" : "000000";
        var statuses = new ArrayList<Integer>();
        for (int i = 0; i < MAX_WRONG_CODES; i++) {
            statuses.add(verify(bobId, wrong));
        }
        statuses.add(verify(bobId, code(bob)));
        check("after five wrong codes the right one fails", statuses.stream().allMatch(s -> s == 422), statuses);
        int early = send("POST", customers("/" + bobId + "/verification/codes"), null)
                .statusCode();
        check("another code can be requested, but not at once", early == 429, early);

        erase(ann, annId);
        var logs = logsWith(List.of(codeOfAnn, code(bob), system.tokens().of(annId)));
        check("no log of the system has a code or a token", logs.isEmpty(), logs);
        System.out.println("\n"
                + table(
                        checks,
                        List.of(
                                text("what", Check::what),
                                text("seen", check -> check.seen().toString()),
                                text("right?", check -> check.right() ? "yes" : "NO"))));
        return checks.stream().allMatch(Check::right);
    }

    private void erase(Person person, String id) throws InterruptedException {
        shop.putProduct("mug", "Mug", 19_99);
        // It is rejected, since nothing is in stock; its mail is what counts.
        String order = id(shop.place(ShopClient.order(id, Map.of("mug", 1))));
        shop.awaitEnd(order);
        Await.within(MAX_WAIT, () -> mails(person) == 2);
        check("the mail about an order goes to the address of its customer", mails(person) == 2, mails(person));
        check("before: the person is in these tables", !tablesWith(person).isEmpty(), tablesWith(person));
        var self = Map.of("Authorization", system.tokens().bearer(id));
        expect(send("DELETE", customers("/" + id), null, self));
        Await.within(MAX_WAIT, () -> tablesWith(person).isEmpty() && tombstones(id) == 1);
        check("after: in no table of any database", tablesWith(person).isEmpty(), tablesWith(person));
        check("customer-service has a tombstone, by which Kafka erases", tombstones(id) == 1, tombstones(id));
        var topics = topicsWith(person);
        check("no other topic ever held the person", topics.equals(List.of("customer-service")), topics);
        var logs = logsWith(List.of(person.name(), person.mail(), person.phone()));
        check("nor does any log of the system", logs.isEmpty(), logs);
        String status = shop.order(order).path("status").asText();
        check("the order still exists", status.equals("REJECTED"), status);
    }

    private void check(String what, boolean right, Object seen) {
        checks.add(new Check(what, right, seen));
    }

    private URI customers(String path) {
        return system.url("order-service", "/customers" + path);
    }

    private String register(Person person, String key) throws InterruptedException {
        var registration = Map.of("name", person.name(), "mail", person.mail(), "phone", person.phone());
        return id(send("POST", customers(""), registration, Map.of("Idempotency-Key", key)));
    }

    private int verify(String id, String code) throws InterruptedException {
        return send("POST", customers("/" + id + "/verification"), Map.of("code", code))
                .statusCode();
    }

    private List<Integer> messages(Person ann, Person bob) throws InterruptedException {
        return List.of(mails(ann), mails(bob), sms(ann).size(), sms(bob).size());
    }

    private int mails(Person person) throws InterruptedException {
        var mails = json(send("GET", system.mailApi("/api/user/" + person.mail() + "/messages"), null));
        return mails.isArray() ? mails.size() : 0; // the mail server does not know an address without mails
    }

    private List<String> sms(Person person) throws InterruptedException {
        var authorization = Map.of("Authorization", "Bearer " + system.secret(Secrets.SMS_API_KEY));
        return StreamSupport.stream(
                        json(send("GET", system.sms(), null, authorization)).spliterator(), false)
                .filter(sms -> sms.path("to").asText().equals(person.phone()))
                .map(sms -> sms.path("text").asText())
                .toList();
    }

    private String code(Person person) throws InterruptedException {
        var code = CODE.matcher(sms(person).getLast());
        return code.find() ? code.group() : "none";
    }

    /** Every table in which a row holds the person's name, mail address or phone number. */
    private List<String> tablesWith(Person person) {
        var found = new ArrayList<String>();
        for (String database : RunningPlatform.DATABASES) {
            try (var connection = system.connect(database);
                    var tables = connection.getMetaData().getTables(null, "public", "%", new String[] {"TABLE"})) {
                while (tables.next()) {
                    String table = tables.getString("TABLE_NAME");
                    String rows = "SELECT count(*) FROM \"%s\" t WHERE t::text ~ '%s'";
                    if (system.number(database, rows.formatted(table, person.pattern())) > 0) {
                        found.add(database + "." + table);
                    }
                }
            } catch (SQLException e) {
                throw new CommandFailedException("cannot list the tables of " + database + ": " + e.getMessage(), e);
            }
        }
        return found;
    }

    private List<String> topicsWith(Person person) {
        return records().stream()
                .filter(record -> record.value() != null && person.isIn(record.value()))
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

    /** Every record on the topics of the services. */
    private List<ConsumerRecord<String, String>> records() {
        var all = new ArrayList<ConsumerRecord<String, String>>();
        try (var consumer =
                new KafkaConsumer<>(system.kafka(Map.of()), new StringDeserializer(), new StringDeserializer())) {
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

    /** Those with one of these words: a code may well be a part of a longer number. */
    private List<String> logsWith(List<String> words) throws InterruptedException {
        var pattern = Pattern.compile(words.stream()
                .map(word -> "(?<!\\w)" + Pattern.quote(word) + "(?!\\w)")
                .collect(Collectors.joining("|")));
        try {
            var found = new ArrayList<String>();
            for (String part : system.logged()) {
                String log = String.join("\n", system.log(part));
                if (!part.equals(OUTSIDE) && pattern.matcher(log).find()) {
                    found.add(part);
                }
            }
            return found;
        } catch (IOException e) {
            throw new CommandFailedException("cannot read the logs: " + e, e);
        }
    }
}
