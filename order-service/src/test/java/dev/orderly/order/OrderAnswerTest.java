package dev.orderly.order;

import static io.restassured.RestAssured.given;
import static org.assertj.core.api.Assertions.assertThat;

import dev.orderly.IntegrationTest;
import dev.orderly.events.PaymentMethod;
import dev.orderly.testing.Tokens;
import io.quarkus.security.identity.CurrentIdentityAssociation;
import io.quarkus.security.runtime.QuarkusPrincipal;
import io.quarkus.security.runtime.QuarkusSecurityIdentity;
import io.quarkus.test.junit.QuarkusTest;
import io.restassured.http.ContentType;
import jakarta.inject.Inject;
import jakarta.ws.rs.core.UriBuilder;
import jakarta.ws.rs.core.UriInfo;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.Test;

@QuarkusTest
class OrderAnswerTest extends IntegrationTest {

    @Inject
    OrderResource orders;

    @Inject
    CurrentIdentityAssociation callers;

    private final UUID customer = UUID.randomUUID();

    /** The request scope ends when the caller hangs up, while the order is being placed. */
    @Test
    void an_answer_can_be_made_after_the_request_scope_has_ended() {
        var somewhere = (UriInfo) Proxy.newProxyInstance(
                getClass().getClassLoader(),
                new Class<?>[] {UriInfo.class},
                (_, _, _) -> UriBuilder.fromUri("http://somewhere/"));
        var line = new OrderResource.LineRequest("mug", 1);
        var request = new OrderResource.OrderRequest(customer, List.of(line), PaymentMethod.BALANCE, null, null);

        given().contentType(ContentType.JSON)
                .body(Map.of("name", "Mug", "price", Map.of("amount", 1999, "currency", "EUR")))
                .put("/products/mug")
                .then()
                .statusCode(200);
        callers.setIdentity(QuarkusSecurityIdentity.builder()
                .setPrincipal(new QuarkusPrincipal(customer.toString()))
                .addRole(Tokens.CUSTOMER)
                .build());

        try (var answer = orders.place(UUID.randomUUID().toString(), null, request, somewhere)
                .await()
                .atMost(Duration.ofSeconds(20))) {
            assertThat(answer.getStatus()).isEqualTo(202);
            assertThat(answer.getLocation()).asString().startsWith("http://somewhere/orders/");
        }
    }
}
