package dev.orderly;

import static io.restassured.RestAssured.given;
import static io.restassured.http.ContentType.JSON;
import static org.awaitility.Awaitility.await;

import dev.orderly.database.UuidV7;
import dev.orderly.events.Money;
import dev.orderly.events.OrderEvent.Line;
import dev.orderly.events.OrderEvent.OrderPlaced;
import dev.orderly.events.PaymentMethod;
import dev.orderly.testing.EndpointAccess;
import dev.orderly.testing.OrderTopic;
import io.quarkus.test.common.http.TestHTTPResource;
import io.quarkus.test.junit.QuarkusTest;
import java.net.URI;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.Test;

@QuarkusTest
class EndpointAccessTest extends IntegrationTest {

    private static final Money PRICE = Money.of(1999, "EUR");

    @TestHTTPResource
    URI service;

    @TestHTTPResource(value = "/openapi?format=json", management = true)
    URI openApi;

    @Test
    void each_role_may_do_what_the_table_says() {
        given().contentType(JSON)
                .body(Map.of("name", "Hostile", "price", Map.of("amount", 1, "currency", "EUR")))
                .put("/products/hostile")
                .then()
                .statusCode(200);
        var customer = registered();
        var sale = saleWithTicketOf(customer);
        var shown = "/orders/" + shownOrderOf(customer);

        try (var access = new EndpointAccess(
                service,
                openApi,
                customer,
                Map.of(
                        "/orders", "/orders?customerId=" + customer,
                        "/orders/{id}", shown,
                        "/orders/{id}/events", shown + "/events",
                        "/orders/{id}/cancel", "/orders/" + placedBy(customer) + "/cancel",
                        "/flash-sales/{id}", "/flash-sales/" + sale,
                        "/flash-sales/{id}/orders", "/flash-sales/" + sale + "/orders",
                        "/flash-sales/{id}/orders/{customerId}", "/flash-sales/" + sale + "/orders/" + customer,
                        "/customers/{id}", "/customers/" + customer,
                        "/customers/{id}/verification", "/customers/" + customer + "/verification",
                        "/customers/{id}/verification/codes", "/customers/" + customer + "/verification/codes"))) {
            access.assertTable("order-service");
        }
    }

    private static UUID registered() {
        return UUID.fromString(given().contentType(JSON)
                .body(Map.of(
                        "name", "Ann Example", "mail", UUID.randomUUID() + "@shop.example", "phone", "+4915100000001"))
                .post("/customers")
                .then()
                .statusCode(201)
                .extract()
                .path("id"));
    }

    private static String placedBy(UUID customer) {
        return given().contentType(JSON)
                .header("Idempotency-Key", UUID.randomUUID())
                .body(Map.of(
                        "customerId",
                        customer,
                        "lines",
                        List.of(Map.of("sku", "hostile", "quantity", 1)),
                        "paymentMethod",
                        "BALANCE"))
                .post("/orders")
                .then()
                .statusCode(202)
                .extract()
                .path("id");
    }

    /** No relay runs here that would publish what was placed. */
    private static UUID shownOrderOf(UUID customer) {
        var order = UuidV7.next();
        try (var topic = new OrderTopic()) {
            topic.publish(
                    "order-service",
                    1,
                    new OrderPlaced(
                            order,
                            customer,
                            List.of(new Line("hostile", 1, PRICE)),
                            PRICE,
                            PaymentMethod.BALANCE,
                            null,
                            null,
                            Instant.now()));
        }
        given().get("/orders/" + order + "?version=1").then().statusCode(200);
        return order;
    }

    private static String saleWithTicketOf(UUID customer) {
        var sale = "sale-" + UUID.randomUUID();
        given().contentType(JSON)
                .body(Map.of(
                        "sku",
                        "hostile",
                        "units",
                        100,
                        "opensAt",
                        "2026-01-01T00:00:00Z",
                        "closesAt",
                        "2099-01-01T00:00:00Z"))
                .put("/flash-sales/" + sale)
                .then()
                .statusCode(200);
        given().contentType(JSON)
                .body(Map.of("customerId", customer))
                .post("/flash-sales/" + sale + "/orders")
                .then()
                .statusCode(202);
        await().until(() ->
                given().get("/flash-sales/" + sale + "/orders/" + customer).statusCode() == 200);
        return sale;
    }
}
