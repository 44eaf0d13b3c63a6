package dev.orderly.inventory;

import static io.restassured.RestAssured.given;
import static io.restassured.http.ContentType.JSON;
import static org.assertj.core.api.Assertions.assertThat;

import dev.orderly.testing.EndpointAccess;
import dev.orderly.testing.Tokens;
import io.quarkus.test.common.http.TestHTTPResource;
import io.quarkus.test.junit.QuarkusTest;
import java.net.URI;
import java.sql.SQLException;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.Test;

@QuarkusTest
class EndpointAccessTest extends IntegrationTest {

    @TestHTTPResource
    URI service;

    @TestHTTPResource(value = "/openapi?format=json", management = true)
    URI openApi;

    @Test
    void each_role_may_do_what_the_table_says() {
        var stock = "/stock/" + skuWith(10);

        try (var access = new EndpointAccess(
                service,
                openApi,
                UUID.randomUUID(),
                Map.of("/stock/{sku}", stock, "/stock/{sku}/deliveries", stock + "/deliveries"))) {
            access.assertTable("inventory-service");
        }
    }

    @Test
    void who_changed_the_stock_is_recorded_with_the_change_and_only_with_it() throws SQLException {
        var sku = randomSku();
        for (var available : new long[] {10, -1}) {
            given().header("Authorization", "Bearer " + Tokens.of("carl", Tokens.CLERK))
                    .contentType(JSON)
                    .body(Map.of("available", available))
                    .put("/stock/" + sku);
        }

        assertThat(sql().strings("SELECT subject || ' ' || command FROM command_audit WHERE target = ?", sku))
                .containsExactly("carl COUNT 10");
    }
}
