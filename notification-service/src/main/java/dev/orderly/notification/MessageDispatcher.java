package dev.orderly.notification;

import static io.quarkus.scheduler.Scheduled.ConcurrentExecution.SKIP;

import dev.orderly.database.DatabaseMigration;
import dev.orderly.noncore.NonCoreWork;
import dev.orderly.notification.DeliveryAttempt.DeliveryOutcome;
import dev.orderly.notification.Message.Channel;
import dev.orderly.notification.Notification.State;
import dev.orderly.tracing.LogFields;
import dev.orderly.tracing.Tracing;
import io.micrometer.core.instrument.MeterRegistry;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.trace.SpanKind;
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
 * Delivers due messages; {@link DeliveryAttempt} has the retry policy.
 *
 * <p>Each channel has its own worker: a verification code is valid for ten minutes, and mails that wait for a
 * hanging server must not use them up.
 *
 * <p>A worker claims a batch, sends it, then settles it. The claim is a lease that is committed first, not a
 * row lock held while sending: PostgreSQL ends a transaction that is idle for 10 s, and a slow mail server
 * would make it so.
 *
 * <p>Delivery is at least once: if an instance crashes, or loses the database, between the acceptance of a
 * message and its settlement, the message is sent again when the lease expires. That affects at most one
 * batch, {@value #MAX_BATCH} messages, and duplicates share a Message-ID. A lost reply of the mail server
 * duplicates one message in the same way.
 */
@ApplicationScoped
class MessageDispatcher {

    private static final Logger LOG = Logger.getLogger(MessageDispatcher.class);

    private static final int MAX_BATCH = 100;

    /** Chunks of a batch are sent in parallel, each over one connection: handshakes are expensive. */
    private static final int CHUNK = 10;

    /** Bounds a batch even if a slow server never exceeds the timeout of a single SMTP command. */
    private static final Duration BATCH_TIMEOUT = Duration.ofSeconds(30);

    /** Outlasts {@link #BATCH_TIMEOUT}: no other instance claims a batch that is still being sent. */
    private static final Duration LEASE = Duration.ofSeconds(60);

    private static final AttributeKey<Long> ATTEMPT = AttributeKey.longKey("orderly.attempt");

    private static final Duration SHUTDOWN_TIMEOUT = Duration.ofSeconds(2);

    private final Map<Channel, ThreadPoolExecutor> workers =
            Map.of(Channel.MAIL, worker("mail-dispatcher"), Channel.SMS, worker("sms-dispatcher"));

    private final Notifications notifications;
    private final SmtpClient smtp;
    private final SmsClient sms;
    private final NonCoreWork nonCoreWork;
    private final Clock clock;
    private final Tracing tracing;
    private final MeterRegistry metrics;

    MessageDispatcher(
            Notifications notifications,
            SmtpClient smtp,
            SmsClient sms,
            NonCoreWork nonCoreWork,
            Clock clock,
            Tracing tracing,
            MeterRegistry metrics) {
        this.notifications = notifications;
        this.smtp = smtp;
        this.sms = sms;
        this.nonCoreWork = nonCoreWork;
        this.clock = clock;
        this.tracing = tracing;
        this.metrics = metrics;
        for (var state : State.values()) {
            count(state, 0); // A counter that starts with its first failure shows no increase to an alert.
        }
    }

    @Scheduled(every = "1s", concurrentExecution = SKIP, skipExecutionIf = DatabaseMigration.class)
    void wakeAll() {
        workers.keySet().forEach(this::wake);
    }

    /** Starts the worker unless it is running, and returns at once. */
    void wake(Channel channel) {
        workers.get(channel).execute(() -> dispatchDue(channel));
    }

    void stop(@Observes ShutdownEvent event) throws InterruptedException {
        workers.values().forEach(ThreadPoolExecutor::shutdown);
        var deadline = System.nanoTime() + SHUTDOWN_TIMEOUT.toNanos();
        for (var worker : workers.values()) {
            if (!worker.awaitTermination(deadline - System.nanoTime(), TimeUnit.NANOSECONDS)) {
                LOG.warnf("stopped during a batch, whose messages are sent again in %d s", LEASE.toSeconds());
            }
        }
    }

    /** Runs one task and queues one, which covers all that is due when it starts; discards others. */
    private static ThreadPoolExecutor worker(String name) {
        return new ThreadPoolExecutor(
                1,
                1,
                0,
                TimeUnit.SECONDS,
                new ArrayBlockingQueue<>(1),
                Thread.ofPlatform().name(name).daemon().factory(),
                new ThreadPoolExecutor.DiscardPolicy());
    }

    private void dispatchDue(Channel channel) {
        try {
            var more = true;
            while (more && !workers.get(channel).isShutdown()) {
                var attempts = notifications.claim(channel, nonCoreWork.isPaused(), MAX_BATCH, LEASE);
                if (attempts.isEmpty()) {
                    return;
                }
                var outcomes = sendBatch(attempts);
                notifications.settle(outcomes);
                report(outcomes);
                // A server that accepted nothing gets no further batch until the next tick of the scheduler.
                more = attempts.size() == MAX_BATCH
                        && outcomes.stream().anyMatch(outcome -> outcome.state() == State.SENT);
            }
        } catch (SQLException e) {
            LOG.warnf("retrying in a second: %s", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private List<DeliveryOutcome> sendBatch(List<DeliveryAttempt> attempts) throws InterruptedException {
        var outcomes = new ConcurrentHashMap<DeliveryAttempt, DeliveryOutcome>();
        var tasks = new ArrayList<Callable<Void>>();
        for (var from = 0; from < attempts.size(); from += CHUNK) {
            var chunk = attempts.subList(from, Math.min(from + CHUNK, attempts.size()));
            tasks.add(() -> {
                sendChunk(chunk, outcomes);
                return null;
            });
        }
        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            // Interrupts tasks that exceed the timeout; an interrupted virtual thread closes its socket.
            threads.invokeAll(tasks, BATCH_TIMEOUT.toSeconds(), TimeUnit.SECONDS);
        }
        var timeout = "timeout after " + BATCH_TIMEOUT.toSeconds() + " s";
        return attempts.stream()
                .map(attempt -> outcomes.getOrDefault(attempt, attempt.failed(timeout)))
                .toList();
    }

    private void sendChunk(List<DeliveryAttempt> chunk, Map<DeliveryAttempt, DeliveryOutcome> outcomes) {
        try (var connection = smtp.connection()) {
            for (var attempt : chunk) {
                outcomes.put(attempt, send(attempt, connection));
            }
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    private DeliveryOutcome send(DeliveryAttempt attempt, SmtpClient.Connection connection)
            throws InterruptedException {
        var message = attempt.message();
        if (message.needsContact() && attempt.recipient() == null) {
            return attempt.skipped("the customer was erased");
        }
        if (message.expiresAt() != null && !clock.instant().isBefore(message.expiresAt())) {
            return attempt.skipped("expired before it could be sent");
        }
        var span = tracing.start("send mail", SpanKind.CLIENT, attempt.traceparent())
                .setAttribute(Tracing.ORDER_ID, message.referenceId().toString())
                .setAttribute(ATTEMPT, (long) attempt.number());
        try {
            switch (message.kind().channel()) {
                case MAIL -> connection.send(message, attempt.recipient());
                case SMS -> sms.send(message, attempt.recipient());
            }
            return attempt.succeeded();
        } catch (UndeliverableException e) {
            Tracing.fail(span, e);
            return attempt.rejected(e.getMessage());
        } catch (IOException | RuntimeException e) {
            Tracing.fail(span, e);
            if (Thread.interrupted()) {
                throw new InterruptedException(e.toString());
            }
            return attempt.failed(e.getMessage() == null ? e.toString() : e.getMessage());
        } finally {
            span.end();
        }
    }

    private void report(List<DeliveryOutcome> outcomes) {
        for (var outcome : outcomes) {
            count(outcome.state(), 1);
            if (outcome.state() == State.FAILED) {
                var message = outcome.attempt().message();
                LogFields.set(
                        message.needsContact() ? null : message.referenceId(),
                        null,
                        outcome.attempt().traceparent());
                LOG.errorf(
                        "message %s failed after %d attempts: %s",
                        message.id(), outcome.attempt().number(), outcome.error());
                LogFields.clear();
            }
        }
        var deferred = outcomes.stream()
                .filter(outcome -> outcome.state() == State.PENDING)
                .toList();
        if (!deferred.isEmpty()) { // one log line per batch: in an outage all have the same reason
            var first = deferred.getFirst();
            LOG.warnf(
                    "%d of %d messages will be retried, for example %s: %s",
                    deferred.size(), outcomes.size(), first.attempt().message().id(), first.error());
        }
    }

    private void count(State state, int messages) {
        var outcome = switch (state) {
            case SENT -> "sent";
            case PENDING -> "deferred";
            case VOID -> "skipped";
            case FAILED -> "failed";
        };
        metrics.counter("orderly.messages", "outcome", outcome).increment(messages);
    }
}
