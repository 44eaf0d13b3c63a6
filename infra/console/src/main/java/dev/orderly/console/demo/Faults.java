package dev.orderly.console.demo;

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
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeoutException;
import org.jboss.logging.Logger;

/** Those faults of the lab that make sense by hand. Each ends by itself, or is undone by another. */
@ApplicationScoped
class Faults {

    private static final Logger LOG = Logger.getLogger(Faults.class);

    private static final Duration PAUSE = Duration.ofSeconds(20);
    private static final Duration OUTSIDE = Duration.ofSeconds(30);
    private static final Duration TIMEOUT = Duration.ofSeconds(5);

    private final DemoPlatform platform;
    private final TopicFaults topic;
    private final RelayFaults relays;
    private final ConsoleConfig config;
    private final HttpClient http =
            HttpClient.newBuilder().connectTimeout(TIMEOUT).build();

    /**
     * @param part that it hits; null for none of the platform's processes
     * @param undo the kind that ends it; null for one that is over at once, or ends by itself
     */
    record Fault(String kind, String group, String part, String title, String what, String undo, boolean active) {}

    /** Says what it has done, or gives up in the middle of it. */
    private interface Injection {
        String run() throws IOException, InterruptedException, ExecutionException, TimeoutException, SQLException;
    }

    private record Kind(Fault fault, Injection injection) {}

    Faults(DemoPlatform platform, TopicFaults topic, RelayFaults relays, ConsoleConfig config) {
        this.platform = platform;
        this.topic = topic;
        this.relays = relays;
        this.config = config;
    }

    List<Fault> list() {
        return kinds().stream().map(Kind::fault).toList();
    }

    /**
     * Returns what it has done.
     *
     * @throws HttpProblem 404 for a kind that does not exist, 503 when it could not be injected
     */
    String inject(String name) {
        var kind = kinds().stream()
                .filter(candidate -> candidate.fault.kind.equals(name))
                .findFirst()
                .orElseThrow(() -> Problem.of(404, "There is no fault " + name + ", or its part is gone."));
        try {
            LOG.infof("fault: %s", name);
            return kind.injection.run();
        } catch (IOException | ExecutionException | TimeoutException | SQLException e) {
            LOG.warnf(e, "%s could not be injected", name);
            throw Problem.of(503, "What it needs does not answer now. Try again.");
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
            throw Problem.of(503, "The console stops.");
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
                        "Writes an OrderPlaced that is no JSON to the topic: the groups that react to it park it,"
                                + " and read on.",
                        null,
                        false),
                topic::poison));
        kinds.add(new Kind(
                new Fault(
                        "duplicate",
                        "record",
                        null,
                        "Duplicate event",
                        "Writes the newest event of an order once more: every inbox recognises it.",
                        null,
                        false),
                topic::duplicate));
        TopicFaults.GROUPS.forEach(
                (group, service) -> platform.part(service).ifPresent(part -> kinds.add(rewind(group, part))));
        DemoDatabases.ALL.forEach(database -> kinds.add(loseSlot(database)));
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
                () -> {
                    platform.kill(part);
                    return "it is gone, and started again.";
                }));
        kinds.add(new Kind(
                new Fault(
                        "pause-" + name,
                        "pause",
                        name,
                        "Freeze " + name,
                        "For " + PAUSE.toSeconds() + " s it keeps its connections and answers nothing.",
                        "resume-" + name,
                        paused),
                () -> {
                    platform.freeze(part, PAUSE);
                    return "it answers nothing for " + PAUSE.toSeconds() + " s.";
                }));
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
                    () -> {
                        platform.thaw(part);
                        return "it goes on.";
                    }));
        }
        return kinds;
    }

    private Kind rewind(String group, DemoPlatform.Part service) {
        return new Kind(
                new Fault(
                        "rewind-" + group,
                        "group",
                        null,
                        "Rewind " + group,
                        "Kills " + service.name() + ", and has it read up to " + TopicFaults.REWOUND
                                + " records of each partition again: its inbox recognises them.",
                        null,
                        false),
                () -> topic.rewind(group, service));
    }

    private Kind loseSlot(String database) {
        return new Kind(
                new Fault(
                        "lose-slot-" + database,
                        "relay",
                        null,
                        "Lose the replication slot of " + database,
                        "Drops it, as a mistake of an operator would: the relay begins with a new one, and the outbox"
                                + " auditor sends what was lost with the old.",
                        null,
                        false),
                () -> {
                    relays.loseSlot(database);
                    return "it is dropped; the auditor sends what went with it, if anything did, in about a minute.";
                });
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

    private String put(URI url, Optional<String> key, String body) throws IOException, InterruptedException {
        var request = HttpRequest.newBuilder(url)
                .timeout(TIMEOUT)
                .header("Content-Type", "application/json")
                .PUT(BodyPublishers.ofString(body));
        key.ifPresent(secret -> request.header("Authorization", "Bearer " + secret));
        int status = http.send(request.build(), BodyHandlers.discarding()).statusCode();
        if (status >= 300) {
            throw new IOException(url.getPath() + " answered " + status);
        }
        return "for " + OUTSIDE.toSeconds() + " s.";
    }
}
