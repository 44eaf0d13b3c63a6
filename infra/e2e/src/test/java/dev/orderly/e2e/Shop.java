package dev.orderly.e2e;

import static io.restassured.RestAssured.given;
import static org.assertj.core.api.Assertions.assertThat;

import io.restassured.http.ContentType;
import io.restassured.response.Response;
import java.util.List;
import java.util.UUID;
import java.util.function.UnaryOperator;

/** A product of its own with some stock, and a customer of its own with some money: nothing that another test touches. */
final class Shop {

    static final int PRICE = 1000;

    /** Where the services are: with {@code ./orderly up}, unless a test says otherwise. */
    static UnaryOperator<String> urls = RunningSystem::url;

    final String sku = "sku-" + UUID.randomUUID().toString().substring(0, 13);
    final UUID customer = UUID.randomUUID();
    private final int stock;
    private final int money;

    Shop(int stock, int money) {
        this.stock = stock;
        this.money = money;
        given().contentType(ContentType.JSON)
                .body("{\"name\":\"A thing\",\"price\":{\"amount\":%d,\"currency\":\"EUR\"}}".formatted(PRICE))
                .put(urls.apply("order-service") + "/products/" + sku)
                .then()
                .statusCode(200);
        given().contentType(ContentType.JSON)
                .body("{\"available\":%d}".formatted(stock))
                .put(urls.apply("inventory-service") + "/stock/" + sku)
                .then()
                .statusCode(200);
        if (money > 0) {
            given().contentType(ContentType.JSON)
                    .body("{\"amount\":{\"amount\":%d,\"currency\":\"EUR\"}}".formatted(money))
                    .post(urls.apply("payment-service") + "/accounts/" + customer + "/deposits")
                    .then()
                    .statusCode(201);
        }
    }

    /** The id of a new order. */
    String order(int quantity) {
        return tryToOrder(quantity, UUID.randomUUID().toString())
                .then()
                .statusCode(202)
                .extract()
                .path("id");
    }

    Response tryToOrder(int quantity, String idempotencyKey) {
        return given().contentType(ContentType.JSON)
                .header("Idempotency-Key", idempotencyKey)
                .body("""
                        {"customerId":"%s","lines":[{"sku":"%s","quantity":%d}],"paymentMethod":"BALANCE"}
                        """.formatted(customer, sku, quantity))
                .post(urls.apply("order-service") + "/orders");
    }

    static Response cancel(String order) {
        return given().post(urls.apply("order-service") + "/orders/" + order + "/cancel");
    }

    static Response look(String order) {
        return given().get(urls.apply("order-service") + "/orders/" + order + "?version=1");
    }

    /** The order when it is decided, or what it is after half a minute. */
    static Response lookAtTheEnd(String order) {
        return given().get(urls.apply("order-service") + "/orders/" + order + "?version=1&wait=30");
    }

    static List<String> timeline(String order) {
        return look(order).path("timeline.type");
    }

    /** Nothing is set aside, so many are sold, and every item is where it belongs. */
    void assertSold(int sold) {
        var now = given().get(urls.apply("inventory-service") + "/stock/" + sku);
        assertThat(List.of(now.<Integer>path("available"), now.<Integer>path("reserved"), now.<Integer>path("sold")))
                .as("available, reserved, sold")
                .isEqualTo(List.of(stock - sold, 0, sold));
    }

    void assertSpent(int spent) {
        var balance = given().get(urls.apply("payment-service") + "/accounts/" + customer)
                .<Integer>path("balances[0].amount");
        assertThat(balance).as("balance").isEqualTo(money - spent);
    }
}
