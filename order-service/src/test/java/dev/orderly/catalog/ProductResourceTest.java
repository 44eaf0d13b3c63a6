package dev.orderly.catalog;

import static io.restassured.RestAssured.given;
import static java.time.Duration.ofMillis;
import static java.util.concurrent.CompletableFuture.supplyAsync;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.hamcrest.Matchers.equalTo;

import dev.orderly.IntegrationTest;
import io.quarkus.test.junit.QuarkusTest;
import io.restassured.http.ContentType;
import io.restassured.response.Response;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

@QuarkusTest
class ProductResourceTest extends IntegrationTest {

    private final String sku = "mug-" + UUID.randomUUID();

    @Test
    void a_product_is_offered_and_then_changed() {
        offer(1999).then().statusCode(200).body("price.amount", equalTo(1999));
        offer(2999).then().statusCode(200).body("price.amount", equalTo(2999));

        given().get("/products/{sku}", sku)
                .then()
                .statusCode(200)
                .body("name", equalTo("Mug"))
                .body("price.amount", equalTo(2999))
                .body("price.currency", equalTo("EUR"));
    }

    @Test
    void of_two_who_offer_a_new_product_at_the_same_time_the_last_one_counts() throws Exception {
        CompletableFuture<Response> second;
        try (var first = database.getConnection();
                var insert = first.prepareStatement("INSERT INTO product VALUES (?, 'Mug', 1999, 'EUR')")) {
            first.setAutoCommit(false);
            insert.setString(1, sku);
            insert.executeUpdate();

            second = supplyAsync(() -> offer(2999), Thread::startVirtualThread);

            // Soon, since the other gives up after 2 s of waiting for the lock.
            await().pollInterval(ofMillis(20)).until(() -> sql().number("""
                            SELECT count(*) FROM pg_stat_activity
                            WHERE wait_event_type = 'Lock' AND query ILIKE 'INSERT INTO product%'
                            """) == 1);
            first.commit();
        }

        assertThat(second.get().statusCode()).isEqualTo(200);
        given().get("/products/{sku}", sku).then().body("price.amount", equalTo(2999));
    }

    private Response offer(long euroCents) {
        return given().contentType(ContentType.JSON)
                .body("{\"name\":\"Mug\",\"price\":{\"amount\":" + euroCents + ",\"currency\":\"EUR\"}}")
                .put("/products/{sku}", sku);
    }
}
