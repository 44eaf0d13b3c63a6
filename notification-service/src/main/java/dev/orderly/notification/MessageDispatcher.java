package dev.orderly.notification;

import static io.quarkus.scheduler.Scheduled.ConcurrentExecution.SKIP;

import dev.orderly.database.DatabaseMigration;
import dev.orderly.notification.DeliveryAttempt.Outcome;
import dev.orderly.notification.Message.Channel;
import dev.orderly.notification.Notification.State;
import io.micrometer.core.instrument.MeterRegistry;
import io.quarkus.runtime.ShutdownEvent;
import io.quarkus.scheduler.Scheduled;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.io.IOException;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.jboss.logging.Logger;

/**
 * Sends the letters that are due, each until the mail server or the SMS provider has taken it, see {@link DeliveryAttempt}.
 *
 * <p>Mails and codes go by themselves: a code is of use for ten minutes, which a mail server that hangs would use up.
 *
 * <p>Claims a batch, sends it, settles it. The claim is a lease that is committed first, not a row lock held while
 * sending: PostgreSQL ends a transaction that is idle for 10 s, and a slow mail server would make it so.
 *
 * <p>At least once: an instance that dies, or loses the database, after the mail server took a letter and before that is
 * settled, sends it again when the lease is over. That is at most the batch under way, {@value #BATCH} letters,
 * and copies have the same Message-ID. An answer of the mail server that is lost has the same effect on one letter.
 */
@ApplicationScoped
class MessageDispatcher {

    private static final Logger LOG = Logger.getLogger(MessageDispatcher.class);

    /** Letters that are claimed at once. */
    private static final int BATCH = 100;

    /** Of a batch, those that go one after the other over one connection: greeting a server costs more than a letter. */
    private static final int PER_CONNECTION = 10;

    /** What takes longer has failed: a server that answers each step of the dialogue, but slowly. */
    private static final Duration LIMIT = Duration.ofSeconds(30);

    /** Longer than a batch can take, which is sent at once; so nobody else begins while we are at it. */
    private static final Duration LEASE = Duration.ofSeconds(60);

    /** How long the end of the application waits for the batches under way. */
    private static final Duration GRACE = Duration.ofSeconds(2);

    private final Map<Channel, ThreadPoolExecutor> runs =
            Map.of(Channel.MAIL, runsOf("mail-sender"), Channel.SMS, runsOf("sms-sender"));

    private final Notifications notifications;
    private final SmtpClient smtp;
    private final SmsClient sms;
    private final Clock clock;
    private final MeterRegistry metrics;

    MessageDispatcher(Notifications notifications, SmtpClient smtp, SmsClient sms, Clock clock, MeterRegistry metrics) {
        this.notifications = notifications;
        this.smtp = smtp;
        this.sms = sms;
        this.clock = clock;
        this.metrics = metrics;
        for (var state : State.values()) {
            count(state, 0); // So that an alarm for failures has a zero to start from.
        }
    }

    @Scheduled(every = "1s", concurrentExecution = SKIP, skipExecutionIf = DatabaseMigration.class)
    void wakeAll() {
        runs.keySet().forEach(this::wake);
    }

    /** Has what is due sent soon, and returns at once. */
    void wake(Channel channel) {
        runs.get(channel).execute(() -> sendDue(channel));
    }

    void stop(@Observes ShutdownEvent event) throws InterruptedException {
        runs.values().forEach(ThreadPoolExecutor::shutdown);
        var end = System.nanoTime() + GRACE.toNanos();
        for (var run : runs.values()) {
            if (!run.awaitTermination(end - System.nanoTime(), TimeUnit.NANOSECONDS)) {
                LOG.warnf("stopped during a batch, whose letters go out again in %d s", LEASE.toSeconds());
            }
        }
    }

    /** One run at a time and one more that waits; whatever a third was to find, the one that waits will find. */
    private static ThreadPoolExecutor runsOf(String name) {
        return new ThreadPoolExecutor(
                1,
                1,
                0,
                TimeUnit.SECONDS,
                new ArrayBlockingQueue<>(1),
                Thread.ofPlatform().name(name).daemon().factory(),
                new ThreadPoolExecutor.DiscardPolicy());
    }

    private void sendDue(Channel channel) {
        try {
            var more = true;
            while (more && !runs.get(channel).isShutdown()) {
                var attempts = notifications.claim(channel, BATCH, LEASE);
                if (attempts.isEmpty()) {
                    return;
                }
                var outcomes = send(attempts);
                notifications.settle(outcomes);
                report(outcomes);
                // A server that takes nothing is left alone until the next second.
                more = attempts.size() == BATCH && outcomes.stream().anyMatch(outcome -> outcome.state() == State.SENT);
            }
        } catch (SQLException e) {
            LOG.warnf("trying again in a second: %s", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private List<Outcome> send(List<DeliveryAttempt> attempts) throws InterruptedException {
        var outcomes = new ConcurrentHashMap<DeliveryAttempt, Outcome>();
        var lanes = new ArrayList<Callable<Void>>();
        for (var from = 0; from < attempts.size(); from += PER_CONNECTION) {
            var lane = attempts.subList(from, Math.min(from + PER_CONNECTION, attempts.size()));
            lanes.add(() -> {
                send(lane, outcomes);
                return null;
            });
        }
        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            // Interrupts what takes longer; a virtual thread that is interrupted closes its socket.
            threads.invokeAll(lanes, LIMIT.toSeconds(), TimeUnit.SECONDS);
        }
        return attempts.stream()
                .map(attempt ->
                        outcomes.getOrDefault(attempt, attempt.failed("no end after " + LIMIT.toSeconds() + " s")))
                .toList();
    }

    private void send(List<DeliveryAttempt> lane, Map<DeliveryAttempt, Outcome> outcomes) {
        try (var connection = smtp.connection()) {
            for (var attempt : lane) {
                outcomes.put(attempt, send(attempt, connection));
            }
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt(); // at the limit
        }
    }

    private Outcome send(DeliveryAttempt attempt, SmtpClient.Connection connection) throws InterruptedException {
        var letter = attempt.letter();
        if (letter.needsContact() && attempt.to() == null) {
            return attempt.pointless("the customer was erased");
        }
        if (letter.expiresAt() != null && !clock.instant().isBefore(letter.expiresAt())) {
            return attempt.pointless("expired before it could be sent");
        }
        try {
            switch (letter.kind().channel()) {
                case MAIL -> connection.send(letter, attempt.to());
                case SMS -> sms.send(letter, attempt.to());
            }
            return attempt.succeeded();
        } catch (IOException | RuntimeException e) {
            if (Thread.interrupted()) {
                throw new InterruptedException(e.toString());
            }
            return attempt.failed(e.getMessage() == null ? e.toString() : e.getMessage());
        }
    }

    private void report(List<Outcome> outcomes) {
        for (var outcome : outcomes) {
            count(outcome.state(), 1);
            if (outcome.state() == State.FAILED) {
                LOG.errorf(
                        "giving up letter %s after %d attempts: %s",
                        outcome.attempt().letter().id(), outcome.attempt().number(), outcome.error());
            }
        }
        var postponed = outcomes.stream()
                .filter(outcome -> outcome.state() == State.PENDING)
                .toList();
        if (!postponed.isEmpty()) { // One line for a batch: in an outage all say the same.
            var first = postponed.getFirst();
            LOG.warnf(
                    "%d of %d letters will be tried again, such as %s: %s",
                    postponed.size(), outcomes.size(), first.attempt().letter().id(), first.error());
        }
    }

    private void count(State outcome, int letters) {
        var name = switch (outcome) {
            case SENT -> "sent";
            case PENDING -> "postponed";
            case VOID -> "void";
            case FAILED -> "failed";
        };
        metrics.counter("orderly.letters", "outcome", name).increment(letters);
    }
}
