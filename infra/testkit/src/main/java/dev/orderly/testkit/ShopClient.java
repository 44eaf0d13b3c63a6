package dev.orderly.testkit;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.orderly.platform.config.CommandFailedException;
import dev.orderly.platform.operations.AccessTokens;
import dev.orderly.platform.process.HealthProbe;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.function.BiFunction;

/** The services' HTTP API, as a shop uses it: products, stock, deposits, orders. */
public final class ShopClient {
    /** For an order to end; longer than any of them takes on a platform that is intact. */
    private static final int WAIT_SECONDS = 30;

    /** How long a request is repeated while the service does not accept connections: it may be restarting. */
    private static final Duration MAX_OUTAGE = Duration.ofSeconds(20);

    private static final Duration RETRY_INTERVAL = Duration.ofMillis(50);
    private static final JsonMapper JSON = new JsonMapper();

    private final BiFunction<String, String, URI> urls;
    private final AccessTokens tokens;

    /** Units of a product. */
    public record Stock(long available, long reserved, long sold) {}

    /** @param urls gives the URL of a service's path, such as {@link RunningPlatform#url} */
    public ShopClient(BiFunction<String, String, URI> urls, AccessTokens tokens) {
        this.urls = urls;
        this.tokens = tokens;
    }

    /** Puts a product into the catalogue. */
    public void putProduct(String sku, String name, long cents) throws InterruptedException {
        expect(asStaff("PUT", orders("/products/" + sku), Map.of("name", name, "price", euros(cents))));
    }

    /** Sets how many units of a product are available. */
    public void putStock(String sku, long available) throws InterruptedException {
        expect(asStaff("PUT", urls.apply("inventory-service", "/stock/" + sku), Map.of("available", available)));
    }

    public Stock stock(String sku) throws InterruptedException {
        var stock = get("inventory-service", "/stock/" + sku);
        return new Stock(
                stock.path("available").asLong(),
                stock.path("reserved").asLong(),
                stock.path("sold").asLong());
    }

    /** The first deposit opens the account. */
    public void deposit(String customer, long cents) throws InterruptedException {
        var url = urls.apply("payment-service", "/accounts/" + customer + "/deposits");
        expect(asStaff("POST", url, Map.of("amount", euros(cents))));
    }

    /** Leaves a card for one order, which names it by the id in the response. */
    public HttpResponse<String> leaveCard(String customer, String token) throws InterruptedException {
        return send(
                "POST",
                urls.apply("payment-service", "/cards"),
                Map.of("customerId", customer, "cardToken", token),
                Map.of("Authorization", tokens.bearer(customer)));
    }

    /** In cents; 0 of a customer without an account. */
    public long balance(String customer) throws InterruptedException {
        var response = asStaff("GET", urls.apply("payment-service", "/accounts/" + customer), null);
        return response.statusCode() == 404
                ? 0
                : json(expect(response)).at("/balances/0/amount").asLong();
    }

    /** The response, whatever it is: a test may expect a rejection. */
    public HttpResponse<String> place(Map<String, Object> order) throws InterruptedException {
        return place(order, UUID.randomUUID().toString());
    }

    public HttpResponse<String> place(Map<String, Object> order, String idempotencyKey) throws InterruptedException {
        var customer = String.valueOf(order.get("customerId"));
        return send(
                "POST",
                orders("/orders"),
                order,
                Map.of("Idempotency-Key", idempotencyKey, "Authorization", tokens.bearer(customer)));
    }

    public HttpResponse<String> cancel(String customer, String order) throws InterruptedException {
        return send(
                "POST", orders("/orders/" + order + "/cancel"), null, Map.of("Authorization", tokens.bearer(customer)));
    }

    /** The order as the read model has it now. */
    public JsonNode order(String id) throws InterruptedException {
        return get("order-service", "/orders/" + id + "?version=1");
    }

    /** The order when it has ended, or as it is when that takes too long. */
    public JsonNode awaitEnd(String id) throws InterruptedException {
        return get("order-service", "/orders/" + id + "?version=1&wait=" + WAIT_SECONDS);
    }

    public JsonNode payment(String order) throws InterruptedException {
        return json(asStaff("GET", urls.apply("payment-service", "/payments/" + order), null));
    }

    /** Mails and SMS about an order. */
    public JsonNode notifications(String order) throws InterruptedException {
        return get("notification-service", "/notifications?orderId=" + order);
    }

    private JsonNode get(String service, String path) throws InterruptedException {
        return json(expect(asStaff("GET", urls.apply(service, path), null)));
    }

    /** The response to clerks and operators. @param body written as JSON, or null for none */
    public HttpResponse<String> asStaff(String method, URI url, Object body) throws InterruptedException {
        return send(method, url, body, Map.of("Authorization", tokens.bearer(AccessTokens.TOOLS)));
    }

    private URI orders(String path) {
        return urls.apply("order-service", path);
    }

    /** An order that is paid from the balance. @param lines quantities by SKU */
    public static Map<String, Object> order(String customer, Map<String, Integer> lines) {
        var items = lines.entrySet().stream()
                .map(line -> Map.of("sku", line.getKey(), "quantity", line.getValue()))
                .toList();
        return new HashMap<>(Map.of("customerId", customer, "lines", items, "paymentMethod", "BALANCE"));
    }

    /** The same, paid by card. @param card as {@link #leaveCard} answered */
    public static Map<String, Object> orderByCard(String customer, Map<String, Integer> lines, String card) {
        var order = order(customer, lines);
        order.put("paymentMethod", "CARD");
        order.put("cardId", card);
        return order;
    }

    public static Map<String, Object> euros(long cents) {
        return Map.of("amount", cents, "currency", "EUR");
    }

    /** The types of the events that an order has seen. */
    public static List<String> events(JsonNode order) {
        return order.path("timeline").findValuesAsText("type");
    }

    /** The id of what was accepted. @throws CommandFailedException when nothing was */
    public static String id(HttpResponse<String> response) {
        return json(expect(response)).path("id").asText();
    }

    /** @param body written as JSON, or null for none */
    public static HttpResponse<String> send(String method, URI url, Object body) throws InterruptedException {
        return send(method, url, body, Map.of());
    }

    /** Repeats the request, under one idempotency key, while the service does not accept connections. */
    public static HttpResponse<String> send(String method, URI url, Object body, Map<String, String> headers)
            throws InterruptedException {
        long deadline = System.nanoTime() + MAX_OUTAGE.toNanos();
        var request = HttpRequest.newBuilder(url)
                .timeout(Duration.ofSeconds(WAIT_SECONDS + 10))
                .header("Content-Type", "application/json")
                .header("Idempotency-Key", UUID.randomUUID().toString())
                .method(method, body == null ? BodyPublishers.noBody() : BodyPublishers.ofString(toJson(body)));
        headers.forEach(request::setHeader);
        while (true) {
            try {
                return HealthProbe.HTTP.send(request.build(), BodyHandlers.ofString());
            } catch (IOException e) {
                if (System.nanoTime() > deadline) {
                    throw new CommandFailedException("%s %s: no response: %s".formatted(method, url, e), e);
                }
                TimeUnit.MILLISECONDS.sleep(RETRY_INTERVAL.toMillis());
            }
        }
    }

    /** The same response. @throws CommandFailedException when its status is not one of success */
    public static HttpResponse<String> expect(HttpResponse<String> response) {
        if (response.statusCode() / 100 != 2) {
            throw new CommandFailedException("%s %s returned %d: %s"
                    .formatted(response.request().method(), response.uri(), response.statusCode(), response.body()));
        }
        return response;
    }

    public static JsonNode json(HttpResponse<String> response) {
        try {
            return JSON.readTree(response.body());
        } catch (IOException e) {
            throw new CommandFailedException(response.uri() + " returned no JSON: " + response.body(), e);
        }
    }

    /** Written as JSON. */
    public static String toJson(Object body) {
        try {
            return JSON.writeValueAsString(body);
        } catch (IOException e) {
            throw new IllegalArgumentException(e);
        }
    }
}
