package dev.orderly.testing;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.regex.Pattern;

/**
 * Requests that no honest client sends, to every operation that a service documents: made by chance from a
 * seed, and each in a connection of its own. One that fails is reported in its simplest form. More of them
 * by {@code -Dorderly.test.hostile-requests=100000}, others by {@code -Dorderly.test.seed=…}.
 */
public final class HostileRequests {

    private static final int REQUESTS = Integer.getInteger("orderly.test.hostile-requests", 400);
    private static final AtomicLong NEXT_SEED = new AtomicLong(Long.getLong("orderly.test.seed", 20261129));
    private static final int MAX_CHANGES = 3;
    private static final int TIMEOUT_MILLIS = 15_000;

    /** How long to look at an answer that may be a stream or a wait. */
    private static final int GLANCE_MILLIS = 300;

    /** The target cannot be decoded, or the head is too long: the web server answers, by the status alone. */
    private static final Pattern BEFORE_ANY_FILTER = Pattern.compile("(?s)HTTP/1\\.[01] (400|414|431) .*\r\n\r\n");

    private static final Pattern INTERNALS =
            Pattern.compile("Exception|\\tat |dev\\.orderly|fasterxml|jakarta\\.|io\\.quarkus|SQL|ARJUNA");

    // What a rejected request must leave as it is. The others change by themselves: what the service consumes
    // and what its schedules write.
    private static final String ROWS = """
            SELECT coalesce(sum((xpath('/row/rows/text()', query_to_xml(
                format('SELECT count(*) AS rows FROM %I', relname), false, true, '')))[1]::text::bigint), 0)
            FROM pg_class
            WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND NOT relispartition
              AND relname IN ('orders', 'order_key', 'product', 'customer', 'registration_key', 'flash_sale', 'card',
                  'stock', 'transfer', 'balance', 'gateway_callback', 'parked_event_audit', 'command_audit')
            """;

    private final URI service;
    private final Sql sql;
    private final long seed = NEXT_SEED.getAndIncrement();
    private final Random random = new Random(seed);
    private final HostileRequest.Changes changes = new HostileRequest.Changes(random);

    private HostileRequests(URI service, Sql sql) {
        this.service = service;
        this.sql = sql;
    }

    /**
     * Checks that each is answered without a failure of the service: with a problem document that hides the
     * internals, and with no row left behind, when it is rejected.
     *
     * @param openApi the service's document, as JSON, at its management port
     * @param except operations that are too costly to be called a hundred times, as {@code POST /path}
     */
    public static void assertAllAreHandled(URI service, URI openApi, Sql sql, String... except) throws SQLException {
        var operations = ApiOperation.of(openApi).stream()
                .filter(operation -> !List.of(except).contains(operation.method() + " " + operation.path()))
                .toList();
        assertThat(operations).isNotEmpty();
        var requests = new HostileRequests(service, sql);
        for (var i = 0; i < REQUESTS; i++) {
            requests.tryOne(operations.get(i % operations.size()));
        }
    }

    private void tryOne(ApiOperation operation) throws SQLException {
        var chosen = new ArrayList<Consumer<HostileRequest>>();
        for (var i = random.nextInt(MAX_CHANGES + 1); i > 0; i--) {
            chosen.add(changes.next(operation));
        }
        var fault = fault(operation, chosen);
        if (fault == null) {
            return;
        }
        for (var i = chosen.size() - 1; i >= 0; i--) {
            var fewer = new ArrayList<>(chosen);
            fewer.remove(i);
            var simpler = fault(operation, fewer);
            if (simpler != null) {
                chosen.remove(i);
                fault = simpler;
            }
        }
        var request = new String(changed(operation, chosen).bytes(), ISO_8859_1).replaceAll("(.{1,9})\\1{9,}", "$1…");
        throw new AssertionError("with seed " + seed + " this request fails:\n" + request + "\n\n" + fault);
    }

    private static HostileRequest changed(ApiOperation operation, List<Consumer<HostileRequest>> changes) {
        var request = new HostileRequest(operation);
        changes.forEach(change -> change.accept(request));
        return request;
    }

    /** Null when all is well. */
    private String fault(ApiOperation operation, List<Consumer<HostileRequest>> changes) throws SQLException {
        var request = changed(operation, changes);
        var before = sql.number(ROWS);
        var mayWait = operation.parameters().stream()
                        .anyMatch(parameter -> parameter.name().equals("wait"))
                || operation.path().endsWith("/events");
        var answer = send(request.bytes(), mayWait ? GLANCE_MILLIS : TIMEOUT_MILLIS);
        if (answer == null) {
            return mayWait ? null : "no answer in time";
        }
        if (answer.isEmpty()) {
            return "the connection was closed without an answer";
        }
        var status = Integer.parseInt(answer.split(" ")[1]);
        if (status == 100) {
            answer = answer.substring(answer.indexOf("\r\n\r\n") + 4);
            status = Integer.parseInt(answer.split(" ")[1]);
        }
        if (status >= 500) {
            return status == 503 && answer.contains("Retry-After: ") ? null : answer; // on a busy machine
        }
        if (status >= 400) {
            if (INTERNALS.matcher(answer).find()) {
                return "discloses internals: " + answer;
            }
            if (!request.isHead()
                    && !BEFORE_ANY_FILTER.matcher(answer).matches()
                    && !answer.contains("application/problem+json")) {
                return "is no problem document: " + answer;
            }
            // Twice: what an earlier test has begun may have changed it.
            if (sql.number(ROWS) != before && changesSomething(request)) {
                return "is rejected, and has changed something: " + answer;
            }
        }
        return null;
    }

    private boolean changesSomething(HostileRequest request) throws SQLException {
        var before = sql.number(ROWS);
        send(request.bytes(), TIMEOUT_MILLIS);
        return sql.number(ROWS) != before;
    }

    /** Null when nothing came in time. */
    private String send(byte[] request, int timeoutMillis) {
        try (var socket = new Socket(service.getHost(), service.getPort())) {
            socket.setSoTimeout(timeoutMillis);
            socket.getOutputStream().write(request);
            return new String(socket.getInputStream().readAllBytes(), ISO_8859_1);
        } catch (SocketTimeoutException _) {
            return null;
        } catch (SocketException _) {
            return ""; // reset: it was closed before all of the request was read
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
