package dev.orderly.gateway;

import static dev.orderly.gateway.Journal.line;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.orderly.gateway.Token.Manner;
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
 * All payments. Whatever happens to one is in the journal before anybody is told; and after a crash everything goes on from
 * there: what the bank was still thinking about, and callbacks that nobody has acknowledged.
 */
final class Charges {

    static final String PROCESSING = "processing";

    private final Map<String, Charge> charges = new HashMap<>();
    private final ScheduledExecutorService bank = Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().daemon().name("bank").factory());
    private final Callbacks callbacks;
    private final Journal journal;

    /**
     * A payment. From every status but processing nothing leads back; what succeeded can be refunded, as a whole and once.
     *
     * @param id the merchant's, by which a request that is repeated is known
     * @param amount as the merchant sent it: {@code {"amount": 3998, "currency": "EUR"}}
     * @param status processing, succeeded, failed or cancelled
     * @param refund none or succeeded
     */
    record Charge(
            String id,
            String merchant,
            JsonNode amount,
            String card,
            Token token,
            String status,
            String reason,
            String refund) {

        static Charge wanted(String id, String merchant, JsonNode amount, String card, Token token) {
            return new Charge(id, merchant, amount, card, token, PROCESSING, null, "none");
        }

        /** What an event makes of it. */
        Charge after(JsonNode event) {
            var what = event.path("type").asText().substring("payment.".length());
            return what.equals("refunded")
                    ? new Charge(id, merchant, amount, card, token, status, reason, "succeeded")
                    : new Charge(
                            id,
                            merchant,
                            amount,
                            card,
                            token,
                            what,
                            event.path("reason").asText(null),
                            refund);
        }

        boolean isSameAs(Charge other) {
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
     * @param told the delivery of the callback about it
     */
    record Result(Charge charge, boolean isNew, Future<?> told) {}

    Charges(Path file, Callbacks callbacks) throws IOException {
        this.callbacks = callbacks;
        var untold = new LinkedHashMap<String, JsonNode>();
        journal = new Journal(file, line -> replay(line, untold));
        untold.values().forEach(this::tell);
        for (var charge : List.copyOf(charges.values())) {
            if (charge.status().equals(PROCESSING)) {
                concludeLater(charge);
            }
        }
    }

    private void replay(JsonNode line, Map<String, JsonNode> untold) {
        var id = line.path("payment").asText();
        switch (line.path("entry").asText()) {
            case "requested" -> {
                var card = line.path("card").asText();
                var token = Token.read(card)
                        .orElseThrow()
                        .in(Manner.valueOf(line.path("manner").asText()));
                charges.put(id, Charge.wanted(id, line.path("merchant").asText(), line.path("amount"), card, token));
            }
            case "event" -> {
                charges.computeIfPresent(id, (_, charge) -> charge.after(line));
                untold.put(line.path("event").asText(), line);
            }
            case "delivered" -> untold.remove(line.path("event").asText());
            default -> {} // for the reader of the journal only
        }
    }

    synchronized Optional<Charge> find(String id) {
        return Optional.ofNullable(charges.get(id));
    }

    /** Captures a payment that is new, or declines it, now or later; one that is known stays as it is. */
    synchronized Result request(Charge wanted) {
        if (charges.containsKey(wanted.id())) {
            return unchanged(wanted.id());
        }
        begin(wanted);
        var manner = wanted.token().manner();
        if (manner == Manner.SLOW || manner == Manner.SHUFFLED) {
            happened(wanted.id(), PROCESSING, null);
        }
        if (manner == Manner.SLOW) {
            concludeLater(wanted);
            return unchanged(wanted.id());
        }
        return changed(wanted.id(), conclude(wanted.id()));
    }

    /** Makes sure that a payment that is new is never captured; what the bank has begun cannot be stopped. */
    synchronized Result cancel(Charge wanted) {
        if (charges.containsKey(wanted.id())) {
            return unchanged(wanted.id());
        }
        begin(wanted);
        return changed(wanted.id(), happened(wanted.id(), "cancelled", "cancelled"));
    }

    /** Gives back what was captured, once. */
    synchronized Result refund(Charge known) {
        var charge = charges.get(known.id());
        return charge.status().equals("succeeded") && charge.refund().equals("none")
                ? changed(charge.id(), happened(charge.id(), "refunded", null))
                : unchanged(charge.id());
    }

    private Result changed(String id, Future<?> told) {
        return new Result(charges.get(id), true, told);
    }

    private Result unchanged(String id) {
        return new Result(charges.get(id), false, CompletableFuture.completedFuture(null));
    }

    private void begin(Charge charge) {
        ObjectNode line = line("requested", charge.id()).put("merchant", charge.merchant());
        line.set("amount", charge.amount());
        journal.append(line.put("card", charge.card())
                .put("manner", charge.token().manner().name()));
        charges.put(charge.id(), charge);
    }

    private void concludeLater(Charge charge) {
        var delay =
                charge.token().manner() == Manner.SLOW ? charge.token().delay().toMillis() : 0;
        bank.schedule(() -> conclude(charge.id()), delay, TimeUnit.MILLISECONDS);
    }

    private synchronized Future<?> conclude(String id) {
        return charges.get(id).token().declined()
                ? happened(id, "failed", "insufficient_funds")
                : happened(id, "succeeded", null);
    }

    private Future<?> happened(String id, String what, String reason) {
        var event = line("event", id)
                .put("event", "evt_" + UUID.randomUUID().toString().replace("-", ""))
                .put("type", "payment." + what)
                .put("reason", reason);
        journal.append(event);
        charges.computeIfPresent(id, (_, charge) -> charge.after(event));
        return tell(event);
    }

    private Future<?> tell(JsonNode event) {
        var id = event.path("payment").asText();
        return callbacks.tell(
                event,
                charges.get(id),
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
