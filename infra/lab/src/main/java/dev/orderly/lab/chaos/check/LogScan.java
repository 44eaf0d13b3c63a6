package dev.orderly.lab.chaos.check;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.orderly.lab.chaos.fault.PoisonRecord;
import dev.orderly.testkit.RunningPlatform;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;

/** Finds errors in logs that no fault explains. */
final class LogScan {
    /** What a service may log while brokers, the database or its client are unavailable. */
    private static final Pattern EXPECTED = Pattern.compile(String.join(
            "|",
            "\\[org\\.apache\\.kafka|\\[io\\.smallrye\\.reactive\\.messaging",
            "SQLException|PSQLException|\\[io\\.agroal|\\[com\\.arjuna|ARJUNA",
            "ClosedChannelException|HttpClosedException|Connection reset|Broken pipe",
            // Poison among the queued buyers, which nothing else than this shows.
            "FlashSaleConsumer.* skipping undecodable ",
            // A framework that was asked to stop while what it waits for hangs; an error of our code still
            // counts.
            "\\[io\\.(quarkus|vertx)\\..*\\[Error Occurred After Shutdown\\]",
            // A service that was asked to stop while it started.
            "IllegalStateException: Shutdown in progress"));

    /** What only a lost slot explains, until the auditor has repaired it. */
    private static final Pattern LOST_EVENTS =
            Pattern.compile("EventConsumer.* events are missing before |OutboxAuditor.* never reached their topic");

    private static final Pattern PARKING = Pattern.compile("EventConsumer.* parking \\S+-(\\d+)@(\\d+)");

    /** What a database answers to a wrong statement. No fault excuses that. */
    private static final Pattern WRONG_STATEMENT = Pattern.compile(
            "ERROR: .*( violates |syntax error|permission denied|(column|relation|function) .* does not exist)");

    /** What the brokers answer to a client that may not. No fault excuses that either. */
    private static final Pattern FORBIDDEN =
            Pattern.compile("\\b(Topic|Group|Cluster)AuthorizationException|\\bSaslAuthenticationException");

    private static final Pattern CRASH = Pattern.compile("PANIC: |was terminated by signal (?!9:)"
            + "|Terminating due to java\\.lang\\.OutOfMemoryError|fatal error has been detected");

    private static final Pattern ENTRY = Pattern.compile("^\\d{4}-\\d\\d-\\d\\d \\S+ +(\\S+)");

    private static final JsonMapper JSON = new JsonMapper();

    private LogScan() {}

    /** The first line of each. */
    static List<String> unexpectedErrors(
            RunningPlatform system, List<PoisonRecord.Injected> poison, boolean slotsWereLost)
            throws IOException, InterruptedException {
        var found = new ArrayList<String>();
        for (String process : system.logged()) {
            var log = system.log(process);
            if (RunningPlatform.SERVICES.stream().anyMatch(process::startsWith)) { // or a second instance
                errors(log, poison, slotsWereLost).forEach(line -> found.add(process + ": " + line));
            }
            crashes(log).forEach(line -> found.add(process + ": " + line));
        }
        return found;
    }

    /** Ends of processes that no fault explains: faults ask them to stop, or kill them with signal 9. */
    static List<String> crashes(List<String> log) {
        return log.stream().filter(line -> CRASH.matcher(line).find()).toList();
    }

    /** An entry is excused by any of its lines, since the first names the symptom and the last the cause. */
    static List<String> errors(List<String> log, List<PoisonRecord.Injected> poison, boolean slotsWereLost) {
        var errors = new ArrayList<String>();
        String error = null;
        boolean excused = false;
        boolean inexcusable = false;
        for (String each : log) {
            String line = asText(each);
            var entry = ENTRY.matcher(line);
            if (entry.find()) {
                if (error != null && (inexcusable || !excused)) {
                    errors.add(error);
                }
                error = Set.of("ERROR", "FATAL").contains(entry.group(1)) ? line : null;
                excused = false;
                inexcusable = false;
            }
            excused |= EXPECTED.matcher(line).find()
                    || slotsWereLost && LOST_EVENTS.matcher(line).find()
                    || isAbout(poison, line);
            inexcusable |= WRONG_STATEMENT.matcher(line).find()
                    || FORBIDDEN.matcher(line).find();
        }
        if (error != null && (inexcusable || !excused)) {
            errors.add(error);
        }
        return errors;
    }

    /** An entry that a container has logged as JSON, as it would be in text. */
    private static String asText(String line) {
        if (!line.startsWith("{")) {
            return line;
        }
        try {
            var entry = JSON.readTree(line);
            return "%s %s [%s] (%s) %s %s"
                    .formatted(
                            entry.path("timestamp").asText().replaceFirst("T", " "),
                            entry.path("level").asText(),
                            entry.path("loggerName").asText(),
                            entry.path("threadName").asText(),
                            entry.path("message").asText(),
                            entry.path("stackTrace").asText());
        } catch (JsonProcessingException _) {
            return line;
        }
    }

    private static boolean isAbout(List<PoisonRecord.Injected> poison, String line) {
        var parking = PARKING.matcher(line);
        return parking.find()
                && poison.stream()
                        .anyMatch(injected -> injected.partition() == Integer.parseInt(parking.group(1))
                                && injected.offset() == Long.parseLong(parking.group(2)));
    }
}
