package dev.orderly.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import dev.orderly.platform.operations.AccessTokens;
import dev.orderly.testkit.ShopClient;
import java.net.URI;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.function.BiFunction;

/** A product with some stock, and a customer with some money, that no other test touches. */
final class Shop {

    static final int PRICE = 1000;

    /** For what follows an order's end: stock, money and mails. */
    static final Duration SETTLED = Duration.ofSeconds(30);

    final String sku = "sku-" + UUID.randomUUID().toString().substring(0, 13);
    final String customer = UUID.randomUUID().toString();
    private final BiFunction<String, String, URI> urls;
    private final ShopClient client;
    private final AccessTokens tokens;
    private final int stock;
    private final int money;

    Shop(BiFunction<String, String, URI> urls, AccessTokens tokens, int stock, int money) throws InterruptedException {
        this.urls = urls;
        this.tokens = tokens;
        this.client = new ShopClient(urls, tokens);
        this.stock = stock;
        this.money = money;
        client.putProduct(sku, "A thing", PRICE);
        client.putStock(sku, stock);
        if (money > 0) {
            client.deposit(customer, money);
        }
    }

    /** The id of a new order. */
    String order(int quantity) throws InterruptedException {
        return ShopClient.id(tryToOrder(quantity, UUID.randomUUID().toString()));
    }

    /** The same, by a card that the customer leaves for it. */
    String orderByCard(int quantity, String token) throws InterruptedException {
        var card = ShopClient.id(client.leaveCard(customer, token));
        return ShopClient.id(client.place(ShopClient.orderByCard(customer, Map.of(sku, quantity), card)));
    }

    /** @param traceresponse the step in a trace that the answer names */
    record Traced(String id, String traceresponse) {}

    /** In the trace of this {@code traceparent}. */
    Traced order(int quantity, String traceparent) throws InterruptedException {
        return traced(ShopClient.order(customer, Map.of(sku, quantity)), traceparent);
    }

    Traced orderByCard(int quantity, String token, String traceparent) throws InterruptedException {
        var card = ShopClient.id(client.leaveCard(customer, token));
        return traced(ShopClient.orderByCard(customer, Map.of(sku, quantity), card), traceparent);
    }

    private Traced traced(Map<String, Object> order, String traceparent) throws InterruptedException {
        var headers = Map.of("Authorization", tokens.bearer(customer), "traceparent", traceparent);
        var answer = ShopClient.send("POST", urls.apply("order-service", "/orders"), order, headers);
        return new Traced(
                ShopClient.id(answer),
                answer.headers().firstValue("traceresponse").orElse(""));
    }

    HttpResponse<String> tryToOrder(int quantity, String idempotencyKey) throws InterruptedException {
        return client.place(ShopClient.order(customer, Map.of(sku, quantity)), idempotencyKey);
    }

    /** The status of the response. */
    int cancel(String order) throws InterruptedException {
        return client.cancel(customer, order).statusCode();
    }

    /** What the customer gets there. */
    HttpResponse<String> follow(URI url) throws InterruptedException {
        return ShopClient.send("GET", url, null, Map.of("Authorization", tokens.bearer(customer)));
    }

    JsonNode find(String order) throws InterruptedException {
        return client.order(order);
    }

    /** The order when it has ended, or as it is after half a minute. */
    JsonNode awaitEnd(String order) throws InterruptedException {
        return client.awaitEnd(order);
    }

    String status(String order) throws InterruptedException {
        return client.order(order).path("status").asText();
    }

    /** A read model that lags behind is no failure: it answers 503. */
    void awaitStatus(String order, Duration atMost, String... statuses) {
        await().atMost(atMost).ignoreExceptions().until(() -> List.of(statuses).contains(status(order)));
    }

    List<String> timeline(String order) throws InterruptedException {
        return ShopClient.events(client.order(order));
    }

    JsonNode payment(String order) throws InterruptedException {
        return client.payment(order);
    }

    void assertMailed(String order, String kind) {
        await().atMost(SETTLED).untilAsserted(() -> {
            var notifications = client.notifications(order);
            assertThat(notifications.findValuesAsText("kind")).containsExactly(kind);
            assertThat(notifications.findValuesAsText("state")).containsExactly("SENT");
        });
    }

    /** So many are sold in the end, the rest is available, and nothing is reserved. */
    void assertSold(int sold) {
        await().atMost(SETTLED)
                .untilAsserted(
                        () -> assertThat(client.stock(sku)).isEqualTo(new ShopClient.Stock(stock - sold, 0, sold)));
    }

    void assertSpent(int spent) {
        await().atMost(SETTLED)
                .untilAsserted(
                        () -> assertThat(client.balance(customer)).as("balance").isEqualTo(money - spent));
    }
}
