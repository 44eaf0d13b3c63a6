package dev.orderly.payment;

import dev.orderly.database.UuidV7;
import dev.orderly.testing.EndpointAccess;
import io.quarkus.test.common.http.TestHTTPResource;
import io.quarkus.test.junit.QuarkusTest;
import java.net.URI;
import java.util.Map;
import org.junit.jupiter.api.Test;

@QuarkusTest
class EndpointAccessTest extends IntegrationTest {

    @TestHTTPResource
    URI service;

    @TestHTTPResource(value = "/openapi?format=json", management = true)
    URI openApi;

    @Test
    void each_role_may_do_what_the_table_says() {
        var customer = customerWith(5000);
        var order = UuidV7.next();
        publish(reserved(order, customer, 3998));
        var account = "/accounts/" + customer;

        try (var access = new EndpointAccess(
                service,
                openApi,
                customer,
                Map.of(
                        "/accounts/{customerId}", account,
                        "/accounts/{customerId}/deposits", account + "/deposits",
                        "/payments/{orderId}", "/payments/" + order))) {
            access.assertTable("payment-service");
        }
    }
}
