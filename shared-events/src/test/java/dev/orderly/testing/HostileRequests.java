package dev.orderly.testing;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_16;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.net.URLEncoder;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
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

    private static final List<String> TEXTS = List.of(
            "",
            " ",
            "-1",
            "61",
            "9223372036854775808",
            "1e400",
            "NaN",
            "null",
            "[]",
            "'; DROP TABLE orders; --",
            "${jndi:ldap://x}",
            "../../etc/passwd",
            "a".repeat(300),
            "ü".repeat(300),
            "\u4e00".repeat(1000),
            "\u0000",
            "a\u0000b",
            "\uFEFFx",
            "\uFFFF",
            "\u202Eabc",
            "\uD83D\uDE00",
            "%00",
            "%zz",
            "00000000-0000-0000-0000-000000000000",
            "0198c6a2-0000-7000-8000-00000000000g",
            "2026-13-45T99:99:99Z",
            "+999999999-12-31T23:59:59Z");

    private static final List<String> VALUES = List.of(
            "null",
            "-1",
            "1e400",
            "9223372036854775807",
            "9223372036854775808",
            "-9223372036854775808",
            "1" + "0".repeat(2000),
            "\"\"",
            "\"\\u0000\"",
            "\"\\ud800\"",
            "\"\\ud83d\\ude00\"",
            "\"" + "x".repeat(10_000) + "\"",
            "[]",
            "[null]",
            "{\"a\":1}",
            "[".repeat(2000) + "]".repeat(2000),
            "NaN",
            "'x'",
            "\"\u0001\"");

    private static final List<String> HEADERS = List.of("""
            Accept Accept-Encoding Accept-Language Authorization Content-Encoding Content-Type Cookie Expect
            Forwarded Idempotency-Key If-Match If-None-Match Last-Event-ID Orderly-Signature Origin Range
            traceparent Upgrade X-Forwarded-For X-Forwarded-Host X-HTTP-Method-Override""".split("\\s+"));

    private static final List<String> HEADER_VALUES = List.of(
            "",
            "*/*",
            "text/xml",
            "application/json;charset=utf-16",
            "application/json;charset=nonsense",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=x",
            "multipart/form-data",
            "a/b/c;;q=2",
            "100-continue",
            "bytes=5-1,-",
            "h2c",
            "xx-YY-zz-123456789;q=x",
            "\u00fc\u00ff",
            "x".repeat(8_000),
            "a,b,,\",c",
            "a=b; a=b; =",
            "-1",
            "99999999999999999999",
            "t=1,v1=00",
            "00-00000000000000000000000000000000-0000000000000000-00",
            "for=\"[::1]:x\";proto=javascript");

    private final URI service;
    private final Sql sql;
    private final long seed = NEXT_SEED.getAndIncrement();
    private final Random random = new Random(seed);

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

    /** A request that is being made. */
    private static final class Draft {
        private String method;
        private String path;
        private final Map<String, String> pathParameters = new LinkedHashMap<>();
        private final List<String> query = new ArrayList<>();
        private final Map<String, String> headers = new LinkedHashMap<>();
        private byte[] body;

        Draft(ApiOperation operation) {
            method = operation.method();
            path = operation.path();
            headers.put("Authorization", "Bearer " + Tokens.ofAllRoles(ApiOperation.UUID));
            for (var parameter : operation.parameters()) {
                switch (parameter.in()) {
                    case "path" -> pathParameters.put(parameter.name(), parameter.sample());
                    case "header" -> headers.put(parameter.name(), parameter.sample());
                    default -> {} // query parameters are optional or added by a change
                }
            }
            if (operation.mediaType() != null) {
                headers.put("Content-Type", operation.mediaType());
                body = operation.body().toString().getBytes(UTF_8);
            }
        }

        byte[] bytes() {
            var target = path;
            for (var parameter : pathParameters.entrySet()) {
                target = target.replace("{" + parameter.getKey() + "}", encoded(parameter.getValue()));
            }
            var head = new StringBuilder(method).append(' ').append(target);
            for (var i = 0; i < query.size(); i++) {
                head.append(i == 0 ? '?' : '&').append(query.get(i));
            }
            head.append(" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n");
            headers.forEach((name, value) ->
                    head.append(name).append(": ").append(value).append("\r\n"));
            if (body != null) {
                head.append("Content-Length: ").append(body.length).append("\r\n");
            }
            var start = head.append("\r\n").toString().getBytes(ISO_8859_1);
            var all = Arrays.copyOf(start, start.length + (body == null ? 0 : body.length));
            if (body != null) {
                System.arraycopy(body, 0, all, start.length, body.length);
            }
            return all;
        }

        private static String encoded(String value) {
            return URLEncoder.encode(value, UTF_8).replace("+", "%20");
        }
    }

    private void tryOne(ApiOperation operation) throws SQLException {
        var changes = new ArrayList<Consumer<Draft>>();
        for (var i = random.nextInt(MAX_CHANGES + 1); i > 0; i--) {
            changes.add(change(operation));
        }
        var fault = fault(operation, changes);
        if (fault == null) {
            return;
        }
        for (var i = changes.size() - 1; i >= 0; i--) {
            var fewer = new ArrayList<>(changes);
            fewer.remove(i);
            var simpler = fault(operation, fewer);
            if (simpler != null) {
                changes.remove(i);
                fault = simpler;
            }
        }
        var request = new String(draft(operation, changes).bytes(), ISO_8859_1).replaceAll("(.{1,9})\\1{9,}", "$1…");
        throw new AssertionError("with seed " + seed + " this request fails:\n" + request + "\n\n" + fault);
    }

    private static Draft draft(ApiOperation operation, List<Consumer<Draft>> changes) {
        var draft = new Draft(operation);
        changes.forEach(change -> change.accept(draft));
        return draft;
    }

    /** Null when all is well. */
    private String fault(ApiOperation operation, List<Consumer<Draft>> changes) throws SQLException {
        var draft = draft(operation, changes);
        var before = sql.number(ROWS);
        var mayWait = operation.parameters().stream()
                        .anyMatch(parameter -> parameter.name().equals("wait"))
                || operation.path().endsWith("/events");
        var answer = send(draft.bytes(), mayWait ? GLANCE_MILLIS : TIMEOUT_MILLIS);
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
            if (!draft.method.equals("HEAD")
                    && !BEFORE_ANY_FILTER.matcher(answer).matches()
                    && !answer.contains("application/problem+json")) {
                return "is no problem document: " + answer;
            }
            // Twice: what an earlier test has begun may have changed it.
            if (sql.number(ROWS) != before && changesSomething(draft)) {
                return "is rejected, and has changed something: " + answer;
            }
        }
        return null;
    }

    private boolean changesSomething(Draft draft) throws SQLException {
        var before = sql.number(ROWS);
        send(draft.bytes(), TIMEOUT_MILLIS);
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

    private <T> T any(List<T> list) {
        return list.get(random.nextInt(list.size()));
    }

    private Consumer<Draft> change(ApiOperation operation) {
        return switch (random.nextInt(operation.body() == null ? 5 : 10)) {
            case 0 -> pathChange(operation);
            case 1, 2 -> queryChange(operation);
            case 3 -> headerChange();
            case 4 -> {
                var method = any(List.of("GET", "PUT", "POST", "DELETE", "PATCH", "HEAD", "OPTIONS"));
                yield draft -> draft.method = method;
            }
            case 5 -> bytesChange();
            default -> jsonChange(operation);
        };
    }

    private Consumer<Draft> pathChange(ApiOperation operation) {
        var text = any(TEXTS);
        var names = operation.parameters().stream()
                .filter(parameter -> parameter.in().equals("path"))
                .toList();
        if (names.isEmpty()) {
            return draft -> draft.path += "/" + Draft.encoded(text);
        }
        var name = any(names).name();
        return draft -> draft.pathParameters.put(name, text);
    }

    private Consumer<Draft> queryChange(ApiOperation operation) {
        var names = operation.parameters().stream()
                .filter(parameter -> parameter.in().equals("query"))
                .map(ApiOperation.Parameter::name)
                .toList();
        var name = names.isEmpty() || random.nextInt(10) == 0 ? "surplus" : any(names);
        var value = random.nextInt(8) == 0 ? any(List.of("%", "%0", "%ff", "%ed%a0%80", "=", "+", "\u00fc")) : null;
        var pair = name + "=" + (value == null ? Draft.encoded(any(TEXTS)) : value);
        return draft -> draft.query.add(pair);
    }

    private Consumer<Draft> headerChange() {
        var name = any(HEADERS);
        var value = any(HEADER_VALUES);
        return draft -> draft.headers.put(name, value);
    }

    private Consumer<Draft> bytesChange() {
        var kind = random.nextInt(6);
        var position = random.nextDouble();
        var value = (byte) random.nextInt(256);
        var noise = new byte[random.nextInt(2_000)];
        random.nextBytes(noise);
        return draft -> {
            var body = draft.body;
            if (body == null || body.length == 0) {
                draft.body = noise;
                return;
            }
            switch (kind) {
                case 0 -> draft.body = noise;
                case 1 -> draft.body = Arrays.copyOf(body, (int) (body.length * position));
                case 2 -> draft.body = new String(body, UTF_8).getBytes(UTF_16);
                case 3 -> draft.body = (new String(body, UTF_8) + new String(body, UTF_8)).getBytes(UTF_8);
                case 4 -> draft.body = Arrays.copyOf(body, 70_000);
                default -> body[(int) (body.length * position)] = value;
            }
        };
    }

    /** Replaces a value anywhere in the body, by its place among all values. */
    private Consumer<Draft> jsonChange(ApiOperation operation) {
        var values = new ArrayList<String>();
        collect(operation.body(), values);
        var old = any(values);
        var replacement = random.nextInt(8) == 0 ? "\"surplus\":1,\"x\":" + old : any(VALUES);
        return draft -> {
            if (draft.body != null) {
                draft.body =
                        new String(draft.body, UTF_8).replace(old, replacement).getBytes(UTF_8);
            }
        };
    }

    private static void collect(JsonNode node, List<String> values) {
        values.add(node.toString());
        if (node instanceof ObjectNode || node instanceof ArrayNode) {
            node.forEach(child -> collect(child, values));
        }
    }
}
