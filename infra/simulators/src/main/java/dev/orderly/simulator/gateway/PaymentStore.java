package dev.orderly.simulator.gateway;

import static dev.orderly.simulator.gateway.Journal.line;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Path;
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

/**
 * All payments. Whatever happens to one is in the journal before anybody is callback; and after a crash everything goes on from
 * there: what the bank was still thinking about, and callbacks that nobody has acknowledged.
 */
final class PaymentStore {

    static final String PROCESSING = "processing";

    private final Map<String, Payment> payments = new HashMap<>();
    private final ScheduledExecutorService bank = Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().daemon().name("bank").factory());
    private final CallbackSender callbacks;
    private final Journal journal;

    /**
     * A payment. From every status but processing nothing leads back; what succeeded can be refunded, as a whole and once.
     *
     * @param id the merchant's, by which a request that is repeated is known
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

        static Payment wanted(String id, String merchant, JsonNode amount, String card, TestCard token) {
            return new Payment(id, merchant, amount, card, token, PROCESSING, null, "none");
        }

        /** What an event makes of it. */
        Payment after(JsonNode event) {
            var what = event.path("type").asText().substring("payment.".length());
            return what.equals("refunded")
                    ? new Payment(id, merchant, amount, card, token, status, reason, "succeeded")
                    : new Payment(
                            id,
                            merchant,
                            amount,
                            card,
                            token,
                            what,
                            event.path("reason").asText(null),
                            refund);
        }

        boolean isSameAs(Payment other) {
            return merchant.equals(other.merchant) && amount.equals(other.amount) && card.equals(other.card);
        }

        ObjectNode json() {
            ObjectNode json = Journal.JSON.createObjectNode().put("id", id).put("merchant", merchant);
            json.set("amount", amount);
            return json.put("status", status).put("reason", reason).put("refund", refund);
        }
    }

    /**
     * What a request led to.
     *
     * @param isNew whether it led to anything: one that is repeated does not
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
                var token = TestCard.read(card)
                        .orElseThrow()
                        .in(CardBehaviour.valueOf(line.path("manner").asText()));
                payments.put(id, Payment.wanted(id, line.path("merchant").asText(), line.path("amount"), card, token));
            }
            case "event" -> {
                payments.computeIfPresent(id, (_, payment) -> payment.after(line));
                undelivered.put(line.path("event").asText(), line);
            }
            case "delivered" -> undelivered.remove(line.path("event").asText());
            default -> {} // for the reader of the journal only
        }
    }

    synchronized Optional<Payment> find(String id) {
        return Optional.ofNullable(payments.get(id));
    }

    /** Captures a payment that is new, or declines it, now or later; one that is known stays as it is. */
    synchronized Result request(Payment wanted) {
        if (payments.containsKey(wanted.id())) {
            return unchanged(wanted.id());
        }
        begin(wanted);
        var behaviour = wanted.token().behaviour();
        if (behaviour == CardBehaviour.SLOW || behaviour == CardBehaviour.SHUFFLED) {
            record(wanted.id(), PROCESSING, null);
        }
        if (behaviour == CardBehaviour.SLOW) {
            settleLater(wanted);
            return unchanged(wanted.id());
        }
        return changed(wanted.id(), settle(wanted.id()));
    }

    /** Makes sure that a payment that is new is never captured; what the bank has begun cannot be stopped. */
    synchronized Result cancel(Payment wanted) {
        if (payments.containsKey(wanted.id())) {
            return unchanged(wanted.id());
        }
        begin(wanted);
        return changed(wanted.id(), record(wanted.id(), "cancelled", "cancelled"));
    }

    /** Gives back what was captured, once. */
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
                .put("manner", payment.token().behaviour().name()));
        payments.put(payment.id(), payment);
    }

    private void settleLater(Payment payment) {
        var delay = payment.token().behaviour() == CardBehaviour.SLOW
                ? payment.token().delay().toMillis()
                : 0;
        bank.schedule(() -> settle(payment.id()), delay, TimeUnit.MILLISECONDS);
    }

    private synchronized Future<?> settle(String id) {
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
