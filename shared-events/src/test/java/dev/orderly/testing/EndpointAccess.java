package dev.orderly.testing;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;
import java.util.regex.Pattern;
import org.assertj.core.api.SoftAssertions;

/**
 * Who may do what: {@code endpoints.csv}, checked against every operation that a service documents, so that
 * one without a row fails. A cell is the status of the answer; {@code ok} is any but 401 and 403, and - is
 * not tried. The rows of a service are tried in their order.
 */
public final class EndpointAccess implements AutoCloseable {

    private static final List<String> CALLERS = List.of("anonymous", "customer", "another", "clerk", "operator");
    private static final List<String> STAFF = List.of(Tokens.CLERK, Tokens.OPERATOR);
    private static final Pattern LEADING_ZEROS_OF_AN_ID = Pattern.compile("/0+(?=[0-9a-f]+(-[0-9a-f]+){4}(/|$))");
    private static final Duration TIMEOUT = Duration.ofSeconds(30);

    private final HttpClient http =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    private final URI service;
    private final URI openApi;
    private final String customer;
    private final Map<String, String> paths;

    /**
     * @param openApi its document, as JSON
     * @param customer in the place of the customer
     * @param paths what is tried for a path with parameters, such as {@code /orders/{id}}: that of something
     *     which is there, and the customer's; for others, the parameters are made up
     */
    public EndpointAccess(URI service, URI openApi, UUID customer, Map<String, String> paths) {
        this.service = service;
        this.openApi = openApi;
        this.customer = customer.toString();
        this.paths = paths;
    }

    /** @param expected statuses by caller */
    private record Row(String operation, Map<String, String> expected) {}

    /** Checks all operations of the service of this name, with valid tokens, without any, with bad ones. */
    public void assertTable(String name) {
        var operations = new LinkedHashMap<String, ApiOperation>();
        ApiOperation.of(openApi).forEach(each -> operations.put(each.method() + " " + each.path(), each));
        var rows = rows(name);
        assertThat(rows.stream().map(Row::operation))
                .as("the rows of endpoints.csv, and the operations of " + name)
                .containsExactlyInAnyOrderElementsOf(operations.keySet());

        var invalid = Tokens.invalid(customer);
        var all = new SoftAssertions();
        for (var row : rows) {
            var operation = operations.get(row.operation());
            invalid.forEach((fault, token) -> all.assertThat(status(operation, token))
                    .as("%s with a token %s", row.operation(), fault)
                    .isEqualTo("401 Bearer"));
            CALLERS.forEach(caller ->
                    check(all, operation, caller, token(caller), row.expected().get(caller)));
            STAFF.forEach(role -> checkCustomerOfStaff(all, operation, role, row.expected()));
            if (row.expected().get("another").equals("404")) {
                all.assertThat(status(spelledOtherwise(operation), token("another")))
                        .as("%s by another, with the id in a shorter form", row.operation())
                        .isEqualTo("404");
            }
            all.assertThat(allowedOrigin(operation))
                    .as("%s for a page of another origin", row.operation())
                    .isNull();
        }
        all.assertThat(status(get("/nothing"), null)).isEqualTo("401 Bearer");
        all.assertThat(status(get("/nothing"), token("operator"))).isEqualTo("404");
        all.assertAll();
    }

    private void check(SoftAssertions all, ApiOperation operation, String caller, String token, String expected) {
        if (expected.equals("-")) {
            return;
        }
        var answer = status(operation, token);
        var status = answer.substring(0, 3);
        all.assertThat(expected.equals("ok") && !List.of("401", "403").contains(status) ? "ok" : status)
                .as("%s %s by %s", operation.method(), operation.path(), caller)
                .isEqualTo(expected);
    }

    /** Two roles open what one of them opens: to a customer who is a clerk, what clerks may do for others. */
    private void checkCustomerOfStaff(
            SoftAssertions all, ApiOperation operation, String role, Map<String, String> expected) {
        var alone = expected.get(role).equals("403") ? "another" : role;
        var token = Tokens.of(UUID.randomUUID().toString(), Tokens.CUSTOMER, role);
        check(all, operation, "another customer and " + role, token, expected.get(alone));
    }

    private String token(String caller) {
        return switch (caller) {
            case "anonymous" -> null;
            case "customer" -> Tokens.of(customer, Tokens.CUSTOMER);
            case "another" -> Tokens.of(UUID.randomUUID().toString(), Tokens.CUSTOMER);
            default -> Tokens.of(UUID.randomUUID().toString(), caller);
        };
    }

    /** With its ids as {@link UUID#fromString} takes them, too: without the zeros that they begin with. */
    private ApiOperation spelledOtherwise(ApiOperation operation) {
        var path = paths.getOrDefault(operation.path(), operation.path());
        return new ApiOperation(
                operation.method(),
                LEADING_ZEROS_OF_AN_ID.matcher(path).replaceAll("/"),
                operation.parameters(),
                operation.mediaType(),
                operation.body());
    }

    private static ApiOperation get(String path) {
        return new ApiOperation("GET", path, List.of(), null, null);
    }

    /** Status of the answer and, of a 401, its challenge. The body is not read: it may be a stream. */
    private String status(ApiOperation operation, String token) {
        var request = request(operation).method(operation.method(), body(operation));
        if (operation.mediaType() != null) {
            request.header("Content-Type", operation.mediaType());
        }
        if (token != null) {
            request.header("Authorization", "Bearer " + token);
        }
        var answer = send(request);
        if (answer.statusCode() == 401 || answer.statusCode() == 403) {
            assertThat(answer.headers().firstValue("Content-Type"))
                    .as("%s %s", operation.method(), operation.path())
                    .contains("application/problem+json");
        }
        return answer.statusCode()
                + answer.headers()
                        .firstValue("WWW-Authenticate")
                        .map(challenge -> " " + challenge)
                        .orElse("");
    }

    /** As a browser asks before it sends a header, such as the token, to another origin. */
    private String allowedOrigin(ApiOperation operation) {
        return send(request(operation)
                        .header("Origin", "https://evil.test")
                        .header("Access-Control-Request-Method", operation.method())
                        .header("Access-Control-Request-Headers", "authorization")
                        .method("OPTIONS", BodyPublishers.noBody()))
                .headers()
                .firstValue("Access-Control-Allow-Origin")
                .orElse(null);
    }

    private HttpRequest.Builder request(ApiOperation operation) {
        var path = paths.getOrDefault(operation.path(), operation.path());
        for (var parameter : operation.parameters()) {
            path = path.replace("{" + parameter.name() + "}", parameter.sample());
        }
        return HttpRequest.newBuilder(service.resolve(path))
                .timeout(TIMEOUT)
                .header("Idempotency-Key", UUID.randomUUID().toString());
    }

    private HttpRequest.BodyPublisher body(ApiOperation operation) {
        return operation.body() == null
                ? BodyPublishers.noBody()
                : BodyPublishers.ofString(operation.body().toString().replace(ApiOperation.UUID, customer));
    }

    private HttpResponse<InputStream> send(HttpRequest.Builder request) {
        try {
            var answer = http.send(request.build(), BodyHandlers.ofInputStream());
            answer.body().close();
            return answer;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    private static List<Row> rows(String service) {
        var rows = new ArrayList<Row>();
        try (var table = EndpointAccess.class.getResourceAsStream("endpoints.csv")) {
            var lines = new String(Objects.requireNonNull(table).readAllBytes(), UTF_8).lines();
            for (var line : lines.filter(each -> !each.startsWith("#")).toList()) {
                var cells = line.split(", *");
                if (cells[0].equals(service) || cells[0].equals("each")) {
                    var expected = new LinkedHashMap<String, String>();
                    for (var i = 0; i < CALLERS.size(); i++) {
                        expected.put(CALLERS.get(i), cells[2 + i]);
                    }
                    rows.add(new Row(cells[1], expected));
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return rows;
    }

    @Override
    public void close() {
        http.close();
    }
}
