package dev.orderly.notification;

import dev.orderly.testing.EndpointAccess;
import io.quarkus.test.common.http.TestHTTPResource;
import io.quarkus.test.junit.QuarkusTest;
import java.net.URI;
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
        try (var access = new EndpointAccess(
                service,
                openApi,
                UUID.randomUUID(),
                Map.of("/notifications", "/notifications?orderId=" + UUID.randomUUID()))) {
            access.assertTable("notification-service");
        }
    }
}
