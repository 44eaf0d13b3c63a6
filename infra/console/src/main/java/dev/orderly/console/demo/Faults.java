package dev.orderly.console.demo;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.orderly.console.config.ConsoleConfig;
import dev.orderly.console.config.Problem;
import io.quarkiverse.resteasy.problem.HttpProblem;
import jakarta.enterprise.context.ApplicationScoped;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.jboss.logging.Logger;

/** Those faults of the lab that make sense by hand. Each ends by itself, or is undone by another. */
@ApplicationScoped
class Faults {

    private static final Logger LOG = Logger.getLogger(Faults.class);

    private static final String TOPIC = "order-service";
    private static final Duration PAUSE = Duration.ofSeconds(20);
    private static final Duration OUTSIDE = Duration.ofSeconds(30);
    private static final Duration TIMEOUT = Duration.ofSeconds(5);
    private static final int NEWEST = 20;

    private final DemoPlatform platform;
    private final ConsoleConfig config;
    private final HttpClient http =
            HttpClient.newBuilder().connectTimeout(TIMEOUT).build();

    /**
     * @param part that it hits; null for none of the platform's processes
     * @param undo the kind that ends it; null for one that is over at once, or ends by itself
     */
    record Fault(String kind, String group, String part, String title, String what, String undo, boolean active) {}

    /** Gives up on a fault in the middle of it. */
    private interface Injection {
        void run() throws IOException, InterruptedException, ExecutionException, TimeoutException;
    }

    private record Kind(Fault fault, Injection injection) {}

    Faults(DemoPlatform platform, ConsoleConfig config) {
        this.platform = platform;
        this.config = config;
    }

    List<Fault> list() {
        return kinds().stream().map(Kind::fault).toList();
    }

    /** @throws HttpProblem 404 for a kind that does not exist, 503 when it could not be injected */
    void inject(String name) {
        var kind = kinds().stream()
                .filter(candidate -> candidate.fault.kind.equals(name))
                .findFirst()
                .orElseThrow(() -> Problem.of(404, "There is no fault " + name + ", or its part is gone."));
        try {
            LOG.infof("fault: %s", name);
            kind.injection.run();
        } catch (IOException | ExecutionException | TimeoutException e) {
            LOG.warnf(e, "%s could not be injected", name);
            throw Problem.of(503, "What it needs does not answer now. Try again.");
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    private List<Kind> kinds() {
        platform.state(); // or there is none
        var kinds = new ArrayList<Kind>();
        for (var part : platform.parts()) {
            if (!part.kind().equals("console") && part.pid() != 0) {
                kinds.addAll(ofProcess(part));
            }
        }
        kinds.add(new Kind(
                new Fault(
                        "poison",
                        "record",
                        null,
                        "Poison message",
                        "Writes a record to the topic of orders that is no JSON: every group parks it, and reads on.",
                        null,
                        false),
                this::poison));
        kinds.add(new Kind(
                new Fault(
                        "duplicate",
                        "record",
                        null,
                        "Duplicate event",
                        "Writes the newest event of an order once more: every inbox recognises it.",
                        null,
                        false),
                this::duplicate));
        config.gateway().ifPresent(gateway -> kinds.addAll(ofGateway(gateway)));
        config.mailApi()
                .ifPresent(mail -> kinds.add(outside(
                        "mail-hangs",
                        "mail",
                        "Mail server is silent",
                        "For 30 s it accepts connections and answers none: mails wait, orders do not.",
                        () -> put(mail.resolve("/api/fault"), Optional.empty(), seconds("")))));
        config.sms()
                .ifPresent(sms -> kinds.add(outside(
                        "sms-closed",
                        "sms",
                        "SMS provider is closed",
                        "For 30 s it accepts nothing: codes wait.",
                        () -> put(sms.resolve("/fault"), config.smsApiKey().map(List::getFirst), seconds("")))));
        return kinds;
    }

    private List<Kind> ofProcess(DemoPlatform.Part part) {
        var name = part.name();
        boolean paused = part.state().equals("paused");
        var kinds = new ArrayList<Kind>();
        kinds.add(new Kind(
                new Fault(
                        "kill-" + name,
                        "kill",
                        name,
                        "Kill " + name,
                        "Ends its process as a power cut does; the launcher starts it again.",
                        null,
                        false),
                () -> platform.kill(part)));
        kinds.add(new Kind(
                new Fault(
                        "pause-" + name,
                        "pause",
                        name,
                        "Freeze " + name,
                        "For " + PAUSE.toSeconds() + " s it keeps its connections and answers nothing.",
                        "resume-" + name,
                        paused),
                () -> platform.freeze(part, PAUSE)));
        if (paused) {
            kinds.add(new Kind(
                    new Fault(
                            "resume-" + name,
                            "resume",
                            name,
                            "Thaw " + name,
                            "Lets it go on where it was.",
                            null,
                            false),
                    () -> platform.thaw(part)));
        }
        return kinds;
    }

    private List<Kind> ofGateway(URI gateway) {
        var key = config.gatewayApiKey().map(List::getFirst);
        if (key.isEmpty()) {
            return List.of();
        }
        return List.of(
                gateway(gateway, key, "hang", "Gateway answers too late", "charges, and answers after any timeout"),
                gateway(gateway, key, "unavailable", "Gateway is down", "answers 503 to everything"),
                gateway(gateway, key, "error", "Gateway charges and answers 500", "charges, and answers 500"),
                gateway(gateway, key, "never", "Callbacks are lost", "charges, says \"processing\", calls nobody back"),
                gateway(gateway, key, "duplicate", "Callbacks come five times", "sends each callback five times"),
                gateway(gateway, key, "forged", "Forged callbacks", "is joined by an attacker with false callbacks"));
    }

    private Kind gateway(URI gateway, Optional<String> key, String behaviour, String title, String what) {
        return outside(
                "gateway-" + behaviour,
                "gateway",
                title,
                "For 30 s the payment gateway " + what + ". Cards that choose a behaviour keep theirs.",
                () -> put(gateway.resolve("/fault"), key, seconds("\"behaviour\":\"" + behaviour + "\",")));
    }

    private static Kind outside(String kind, String group, String title, String what, Injection injection) {
        return new Kind(new Fault(kind, group, "simulators", title, what, null, false), injection);
    }

    private static String seconds(String before) {
        return "{" + before + "\"seconds\":" + OUTSIDE.toSeconds() + "}";
    }

    private void put(URI url, Optional<String> key, String body) throws IOException, InterruptedException {
        var request = HttpRequest.newBuilder(url)
                .timeout(TIMEOUT)
                .header("Content-Type", "application/json")
                .PUT(BodyPublishers.ofString(body));
        key.ifPresent(secret -> request.header("Authorization", "Bearer " + secret));
        int status = http.send(request.build(), BodyHandlers.discarding()).statusCode();
        if (status >= 300) {
            throw new IOException(url.getPath() + " answered " + status);
        }
    }

    private void poison() throws InterruptedException, ExecutionException, TimeoutException {
        var record = new ProducerRecord<>(TOPIC, UUID.randomUUID().toString(), "{\"id\":".getBytes(UTF_8));
        record.headers()
                .add("type", "OrderPlaced".getBytes(UTF_8))
                .add("source", "console".getBytes(UTF_8))
                .add("id", UUID.randomUUID().toString().getBytes(UTF_8))
                .add("version", "1".getBytes(UTF_8))
                .add("schema", "1".getBytes(UTF_8));
        publish(record);
    }

    private void duplicate() throws InterruptedException, ExecutionException, TimeoutException {
        var newest = newest();
        if (newest.isEmpty()) {
            throw Problem.of(409, "There is no event yet. Place an order first.");
        }
        var event = newest.get();
        publish(new ProducerRecord<>(TOPIC, event.partition(), event.key(), event.value(), event.headers()));
    }

    private void publish(ProducerRecord<String, byte[]> record)
            throws InterruptedException, ExecutionException, TimeoutException {
        var settings = new HashMap<>(platform.adminSettings());
        settings.put("delivery.timeout.ms", 5_000);
        settings.put("request.timeout.ms", 3_000);
        settings.put("linger.ms", 0);
        settings.put("max.block.ms", 5_000);
        try (var producer = new KafkaProducer<>(settings, new StringSerializer(), new ByteArraySerializer())) {
            producer.send(record).get(TIMEOUT.toSeconds(), TimeUnit.SECONDS);
        }
    }

    private Optional<ConsumerRecord<String, byte[]>> newest() {
        var settings = new HashMap<>(platform.adminSettings());
        settings.put("default.api.timeout.ms", 5_000);
        try (var consumer = new KafkaConsumer<>(settings, new StringDeserializer(), new ByteArrayDeserializer())) {
            var partitions = consumer.partitionsFor(TOPIC).stream()
                    .map(partition -> new TopicPartition(TOPIC, partition.partition()))
                    .toList();
            consumer.assign(partitions);
            consumer.endOffsets(partitions)
                    .forEach((partition, end) -> consumer.seek(partition, Math.max(0, end - NEWEST)));
            ConsumerRecord<String, byte[]> newest = null;
            for (var record : consumer.poll(TIMEOUT)) {
                if (record.value() != null && (newest == null || record.timestamp() > newest.timestamp())) {
                    newest = record;
                }
            }
            return Optional.ofNullable(newest);
        }
    }
}
