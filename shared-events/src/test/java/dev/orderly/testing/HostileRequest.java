package dev.orderly.testing;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_16;
import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.net.URLEncoder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Consumer;

/** A request that is being made: a valid one at first, until it is changed. */
final class HostileRequest {

    private String method;
    private String path;
    private final Map<String, String> pathParameters = new LinkedHashMap<>();
    private final List<String> query = new ArrayList<>();
    private final Map<String, String> headers = new LinkedHashMap<>();
    private byte[] body;

    HostileRequest(ApiOperation operation) {
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
        headers.forEach(
                (name, value) -> head.append(name).append(": ").append(value).append("\r\n"));
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

    boolean isHead() {
        return method.equals("HEAD");
    }

    private static String encoded(String value) {
        return URLEncoder.encode(value, UTF_8).replace("+", "%20");
    }

    /** Changes by chance, of which any can be left out. */
    static final class Changes {
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

        private final Random random;

        Changes(Random random) {
            this.random = random;
        }

        private <T> T any(List<T> list) {
            return list.get(random.nextInt(list.size()));
        }

        Consumer<HostileRequest> next(ApiOperation operation) {
            return switch (random.nextInt(operation.body() == null ? 5 : 10)) {
                case 0 -> pathChange(operation);
                case 1, 2 -> queryChange(operation);
                case 3 -> headerChange();
                case 4 -> {
                    var method = any(List.of("GET", "PUT", "POST", "DELETE", "PATCH", "HEAD", "OPTIONS"));
                    yield request -> request.method = method;
                }
                case 5 -> bytesChange();
                default -> jsonChange(operation);
            };
        }

        private Consumer<HostileRequest> pathChange(ApiOperation operation) {
            var text = any(TEXTS);
            var names = operation.parameters().stream()
                    .filter(parameter -> parameter.in().equals("path"))
                    .toList();
            if (names.isEmpty()) {
                return request -> request.path += "/" + encoded(text);
            }
            var name = any(names).name();
            return request -> request.pathParameters.put(name, text);
        }

        private Consumer<HostileRequest> queryChange(ApiOperation operation) {
            var names = operation.parameters().stream()
                    .filter(parameter -> parameter.in().equals("query"))
                    .map(ApiOperation.Parameter::name)
                    .toList();
            var name = names.isEmpty() || random.nextInt(10) == 0 ? "surplus" : any(names);
            var value = random.nextInt(8) == 0 ? any(List.of("%", "%0", "%ff", "%ed%a0%80", "=", "+", "\u00fc")) : null;
            var pair = name + "=" + (value == null ? encoded(any(TEXTS)) : value);
            return request -> request.query.add(pair);
        }

        private Consumer<HostileRequest> headerChange() {
            var name = any(HEADERS);
            var value = any(HEADER_VALUES);
            return request -> request.headers.put(name, value);
        }

        private Consumer<HostileRequest> bytesChange() {
            var kind = random.nextInt(6);
            var position = random.nextDouble();
            var value = (byte) random.nextInt(256);
            var noise = new byte[random.nextInt(2_000)];
            random.nextBytes(noise);
            return request -> {
                var body = request.body;
                if (body == null || body.length == 0) {
                    request.body = noise;
                    return;
                }
                switch (kind) {
                    case 0 -> request.body = noise;
                    case 1 -> request.body = Arrays.copyOf(body, (int) (body.length * position));
                    case 2 -> request.body = new String(body, UTF_8).getBytes(UTF_16);
                    case 3 -> request.body = (new String(body, UTF_8) + new String(body, UTF_8)).getBytes(UTF_8);
                    case 4 -> request.body = Arrays.copyOf(body, 70_000);
                    default -> body[(int) (body.length * position)] = value;
                }
            };
        }

        /** Replaces a value anywhere in the body, by its place among all values. */
        private Consumer<HostileRequest> jsonChange(ApiOperation operation) {
            var values = new ArrayList<String>();
            collect(operation.body(), values);
            var old = any(values);
            var replacement = random.nextInt(8) == 0 ? "\"surplus\":1,\"x\":" + old : any(VALUES);
            return request -> {
                if (request.body != null) {
                    request.body = new String(request.body, UTF_8)
                            .replace(old, replacement)
                            .getBytes(UTF_8);
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
}
