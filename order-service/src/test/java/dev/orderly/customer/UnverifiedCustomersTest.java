package dev.orderly.customer;

import static io.restassured.RestAssured.given;
import static org.assertj.core.api.Assertions.assertThat;

import dev.orderly.IntegrationTest;
import io.quarkus.test.junit.QuarkusTest;
import io.restassured.http.ContentType;
import jakarta.inject.Inject;
import java.sql.SQLException;
import java.util.UUID;
import java.util.concurrent.ThreadLocalRandom;
import org.junit.jupiter.api.Test;

@QuarkusTest
class UnverifiedCustomersTest extends IntegrationTest {

    @Inject
    UnverifiedCustomers unverified;

    @Test
    void who_is_not_verified_within_a_month_is_erased_and_no_other_customer_is() throws SQLException {
        var stale = registered();
        var verified = registered();
        var recent = registered();
        sql().execute("UPDATE customer SET status = 'VERIFIED' WHERE id = ?::uuid", verified);
        for (var id : new String[] {stale, verified}) {
            sql().execute("UPDATE customer SET code_sent_at = now() - interval '32 days' WHERE id = ?::uuid", id);
        }

        unverified.erase();

        assertThat(status(stale)).isEqualTo("ERASED");
        assertThat(status(verified)).isEqualTo("VERIFIED");
        assertThat(status(recent)).isEqualTo("REGISTERED");
        assertThat(sql().strings("SELECT type FROM outbox WHERE key = ? AND payload IS NULL ORDER BY seq", stale))
                .containsExactly("CustomerRegistered", "CustomerErased");
    }

    private String status(String id) throws SQLException {
        return sql().strings("SELECT status FROM customer WHERE id = ?::uuid", id)
                .getFirst();
    }

    private static String registered() {
        var phone = "+49151" + ThreadLocalRandom.current().nextInt(10_000_000, 100_000_000);
        return given().contentType(ContentType.JSON)
                .body("{\"name\":\"Ann\",\"mail\":\"%s@shop.example\",\"phone\":\"%s\"}"
                        .formatted(UUID.randomUUID(), phone))
                .post("/customers")
                .path("id");
    }
}
