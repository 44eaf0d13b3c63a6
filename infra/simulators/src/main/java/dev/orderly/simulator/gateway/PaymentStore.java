package dev.orderly.simulator.gateway;

import static dev.orderly.simulator.gateway.Journal.line;
import static dev.orderly.simulator.http.JsonServer.JSON;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/**
 * All payments. A change is in the journal before a callback or a response says so. After a crash the journal
 * restores everything: payments that the bank still processed, and callbacks that were not acknowledged.
 */
final class PaymentStore {

    static final String PROCESSING = "processing";

    private static final Duration RETRY = Duration.ofSeconds(1);

    private final Map<String, Payment> payments = new HashMap<>();
    private final ScheduledExecutorService bank = Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().daemon().name("bank").factory());
    private final CallbackSender callbacks;
    private final Journal journal;

    /**
     * A payment. Every status but processing is final; what succeeded can be refunded, as a whole and once.
     *
     * @param id the merchant's, and the idempotency key of the request
     * @param amount as the merchant sent it: {@code {"amount": 3998, "currency": "EUR"}}
     * @param status processing, succeeded, failed or cancelled
     * @param refund none or succeeded
     */
    record Payment(
            String id,
            String merchant,
            JsonNode amount,
            String card,
            TestCard token,
            String status,
            String reason,
            String refund) {

        static Payment requested(String id, String merchant, JsonNode amount, String card, TestCard token) {
            return new Payment(id, merchant, amount, card, token, PROCESSING, null, "none");
        }

        Payment after(JsonNode event) {
            var outcome = event.path("type").asText().substring("payment.".length());
            var why = event.path("reason").asText(null);
            return outcome.equals("refunded")
                    ? new Payment(id, merchant, amount, card, token, status, reason, "succeeded")
                    : new Payment(id, merchant, amount, card, token, outcome, why, refund);
        }

        boolean isSameAs(Payment other) {
            return merchant.equals(other.merchant) && amount.equals(other.amount) && card.equals(other.card);
        }

        ObjectNode json() {
            ObjectNode json = JSON.createObjectNode().put("id", id).put("merchant", merchant);
            json.set("amount", amount);
            return json.put("status", status).put("reason", reason).put("refund", refund);
        }
    }

    /**
     * The effect of a request.
     *
     * @param isNew whether it has changed the payment: a repeated one does not
     * @param callback the delivery of the callback about it
     */
    record Result(Payment payment, boolean isNew, Future<?> callback) {}

    PaymentStore(Path file, CallbackSender callbacks) throws IOException {
        this.callbacks = callbacks;
        var undelivered = new LinkedHashMap<String, JsonNode>();
        journal = new Journal(file, line -> replay(line, undelivered));
        undelivered.values().forEach(this::sendCallback);
        for (var payment : List.copyOf(payments.values())) {
            if (payment.status().equals(PROCESSING)) {
                settleLater(payment);
            }
        }
    }

    private void replay(JsonNode line, Map<String, JsonNode> undelivered) {
        var id = line.path("payment").asText();
        switch (line.path("entry").asText()) {
            case "requested" -> {
                var card = line.path("card").asText();
                var token = TestCard.parse(card)
                        .orElseThrow()
                        .with(CardBehaviour.valueOf(line.path("behaviour").asText()));
                payments.put(
                        id, Payment.requested(id, line.path("merchant").asText(), line.path("amount"), card, token));
            }
            case "event" -> {
                payments.computeIfPresent(id, (_, payment) -> payment.after(line));
                undelivered.put(line.path("event").asText(), line);
            }
            case "delivered" -> undelivered.remove(line.path("event").asText());
            default -> {} // for readers of the journal only
        }
    }

    synchronized Optional<Payment> find(String id) {
        return Optional.ofNullable(payments.get(id));
    }

    /** Captures or declines a new payment, now or later; a known one stays as it is. */
    synchronized Result request(Payment requested) {
        if (payments.containsKey(requested.id())) {
            return unchanged(requested.id());
        }
        begin(requested);
        return orLater(() -> {
            var behaviour = requested.token().behaviour();
            if (behaviour == CardBehaviour.SLOW || behaviour == CardBehaviour.SHUFFLED) {
                record(requested.id(), PROCESSING, null);
            }
            if (behaviour == CardBehaviour.SLOW) {
                settleLater(requested);
                return unchanged(requested.id());
            }
            return changed(requested.id(), settle(requested.id()));
        });
    }

    /** Ensures that a new payment is never captured; what the bank has begun cannot be stopped. */
    synchronized Result cancel(Payment requested) {
        if (payments.containsKey(requested.id())) {
            return unchanged(requested.id());
        }
        begin(requested);
        return orLater(() -> changed(requested.id(), record(requested.id(), "cancelled", "cancelled")));
    }

    /** What has begun must end, also when its end cannot be written now, on a full disk. */
    private Result orLater(Supplier<Result> end) {
        try {
            return end.get();
        } catch (UncheckedIOException e) {
            later(end::get, RETRY);
            throw e;
        }
    }

    /** Refunds what was captured, once. */
    synchronized Result refund(Payment known) {
        var payment = payments.get(known.id());
        return payment.status().equals("succeeded") && payment.refund().equals("none")
                ? changed(payment.id(), record(payment.id(), "refunded", null))
                : unchanged(payment.id());
    }

    private Result changed(String id, Future<?> callback) {
        return new Result(payments.get(id), true, callback);
    }

    private Result unchanged(String id) {
        return new Result(payments.get(id), false, CompletableFuture.completedFuture(null));
    }

    private void begin(Payment payment) {
        ObjectNode line = line("requested", payment.id()).put("merchant", payment.merchant());
        line.set("amount", payment.amount());
        journal.append(line.put("card", payment.card())
                .put("behaviour", payment.token().behaviour().name()));
        payments.put(payment.id(), payment);
    }

    private void settleLater(Payment payment) {
        var slow = payment.token().behaviour() == CardBehaviour.SLOW;
        later(() -> settle(payment.id()), slow ? payment.token().delay() : Duration.ZERO);
    }

    private void later(Runnable end, Duration delay) {
        bank.schedule(
                () -> {
                    try {
                        synchronized (this) {
                            end.run();
                        }
                    } catch (UncheckedIOException _) {
                        later(end, RETRY);
                    }
                },
                delay.toMillis(),
                TimeUnit.MILLISECONDS);
    }

    private Future<?> settle(String id) {
        return payments.get(id).token().declined()
                ? record(id, "failed", "insufficient_funds")
                : record(id, "succeeded", null);
    }

    private Future<?> record(String id, String what, String reason) {
        var event = line("event", id)
                .put("event", "evt_" + UUID.randomUUID().toString().replace("-", ""))
                .put("type", "payment." + what)
                .put("reason", reason);
        journal.append(event);
        payments.computeIfPresent(id, (_, payment) -> payment.after(event));
        return sendCallback(event);
    }

    private Future<?> sendCallback(JsonNode event) {
        var id = event.path("payment").asText();
        return callbacks.sendCallback(
                event,
                payments.get(id),
                (entry, about) -> journal.append(line(entry, id).put("event", about)));
    }

    void copyJournal(OutputStream to) throws IOException {
        journal.copy(to);
    }

    void close() throws IOException {
        bank.shutdownNow();
        callbacks.close();
        journal.close();
    }
}
