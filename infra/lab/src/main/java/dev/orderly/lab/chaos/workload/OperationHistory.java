package dev.orderly.lab.chaos.workload;

import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What the client requested and was answered, as in Jepsen: each operation is invoked and then ok, failed for
 * certain, or of unknown outcome. Kept in memory for the checks, and as lines of a file for the analysis of a
 * violation.
 */
public final class OperationHistory implements AutoCloseable {

    public enum Action {
        PLACE,
        CANCEL,
        RESTOCK,
        DEPOSIT,
        REGISTER,
        ERASE,
        LEAVE_CARD
    }

    public enum Outcome {
        OK,
        /** It did not happen: it was refused, or reached no service. */
        FAIL,
        /** No answer, or one that promises nothing: it may have happened. */
        UNKNOWN
    }

    /** What an order has to become unless it is cancelled. */
    public enum Intent {
        CONFIRMED,
        REJECTED,
        /** Stock is contended, or time is short: every outcome that adds up is right. */
        ANY
    }

    /**
     * One attempt of one request; a retry is an operation of its own with the same key.
     *
     * @param subject the customer, the order to cancel, the SKU, or the marker of a {@link TestPerson}
     * @param key under which the request may be repeated
     * @param amount of a deposit or a restock
     * @param status of the HTTP answer, 0 without one
     * @param order or customer that an accepted request was answered with
     */
    public record Operation(
            long id,
            Action action,
            String subject,
            String key,
            Intent intent,
            long amount,
            Instant invoked,
            Instant completed,
            Outcome outcome,
            int status,
            String order) {
        Operation completed(Instant now, Outcome how, int httpStatus, String orderId) {
            return new Operation(id, action, subject, key, intent, amount, invoked, now, how, httpStatus, orderId);
        }
    }

    private static final JsonMapper JSON = new JsonMapper();

    private final List<Operation> completed = new ArrayList<>();
    private final Map<Long, Operation> inFlight = new LinkedHashMap<>();
    private final BufferedWriter file;
    private long ids;

    public OperationHistory(Path file) throws IOException {
        this.file = Files.newBufferedWriter(file);
    }

    synchronized Operation invoke(Action action, String subject, String key, Intent intent, long amount) {
        var operation = new Operation(
                ids++, action, subject, key, intent, amount, Instant.now(), null, Outcome.UNKNOWN, 0, null);
        inFlight.put(operation.id(), operation);
        write(operation, "invoke");
        return operation;
    }

    synchronized Operation complete(Operation invoked, Outcome outcome, int status, String order) {
        var operation = invoked.completed(Instant.now(), outcome, status, order);
        inFlight.remove(invoked.id());
        completed.add(operation);
        write(operation, outcome.name().toLowerCase(java.util.Locale.ROOT));
        return operation;
    }

    /** All, those in flight as of unknown outcome. */
    public synchronized List<Operation> operations() {
        var all = new ArrayList<>(completed);
        inFlight.values().forEach(invoked -> all.add(invoked.completed(Instant.now(), Outcome.UNKNOWN, 0, null)));
        return all;
    }

    private void write(Operation operation, String event) {
        var line = new LinkedHashMap<String, Object>();
        line.put("at", (operation.completed() == null ? operation.invoked() : operation.completed()).toString());
        line.put("op", operation.id());
        line.put("event", event);
        line.put("action", operation.action());
        line.put("subject", operation.subject());
        line.put("key", operation.key());
        line.putAll(
                operation.completed() == null
                        ? Map.of("amount", operation.amount())
                        : Map.of("status", operation.status(), "order", String.valueOf(operation.order())));
        try {
            file.write(JSON.writeValueAsString(line));
            file.newLine();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public synchronized void close() throws IOException {
        file.close();
    }
}
