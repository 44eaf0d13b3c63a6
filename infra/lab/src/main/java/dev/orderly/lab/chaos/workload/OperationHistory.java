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
 * What the client did and what it was told, as in Jepsen: each operation is invoked and then ok, failed for certain, or of
 * unknown outcome. Kept in memory for the checkers, and line by line in a file for whoever looks into a violation.
 */
public final class OperationHistory implements AutoCloseable {

    public enum Action {
        PLACE,
        CANCEL,
        RESTOCK,
        DEPOSIT,
        REGISTER,
        FORGET
    }

    public enum Outcome {
        OK,
        /** It did not happen: refused, or nobody heard it. */
        FAIL,
        /** No answer, or one that promises nothing: it may have happened or not. */
        UNKNOWN
    }

    /** What has to become of an order, when nobody cancels it. */
    public enum Intent {
        CONFIRMED,
        REJECTED,
        /** There is too little for all: any end is right that adds up. */
        ANY
    }

    /**
     * One attempt of one request; a retry is an operation of its own with the same key.
     *
     * @param subject the customer, the order to cancel, the SKU, or the mark of a {@link TestPerson}
     * @param key under which the request may be repeated
     * @param amount of a deposit or a restock
     * @param status of the HTTP answer, 0 without one
     * @param order or person that an accepted request was answered with
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
    private final Map<Long, Operation> underWay = new LinkedHashMap<>();
    private final BufferedWriter file;
    private long ids;

    public OperationHistory(Path file) throws IOException {
        this.file = Files.newBufferedWriter(file);
    }

    synchronized Operation invoke(Action action, String subject, String key, Intent intent, long amount) {
        var operation = new Operation(
                ids++, action, subject, key, intent, amount, Instant.now(), null, Outcome.UNKNOWN, 0, null);
        underWay.put(operation.id(), operation);
        write(operation, "invoke");
        return operation;
    }

    synchronized Operation complete(Operation invoked, Outcome outcome, int status, String order) {
        var operation = invoked.completed(Instant.now(), outcome, status, order);
        underWay.remove(invoked.id());
        completed.add(operation);
        write(operation, outcome.name().toLowerCase(java.util.Locale.ROOT));
        return operation;
    }

    /** All of them; what has not been answered is of unknown outcome as of now. */
    public synchronized List<Operation> operations() {
        var all = new ArrayList<>(completed);
        underWay.values().forEach(invoked -> all.add(invoked.completed(Instant.now(), Outcome.UNKNOWN, 0, null)));
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
