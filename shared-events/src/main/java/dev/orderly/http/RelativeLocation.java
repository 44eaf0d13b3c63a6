package dev.orderly.http;

import jakarta.ws.rs.container.ContainerResponseContext;
import jakarta.ws.rs.core.HttpHeaders;
import java.net.URI;
import org.jboss.resteasy.reactive.server.ServerResponseFilter;

/**
 * Answers with a {@code Location} without scheme and host. JAX-RS would take them from the {@code Host}
 * header, which a client can forge and a proxy may have changed; relative to the request's own URI it is
 * right for each client.
 */
class RelativeLocation {

    @ServerResponseFilter
    void relativize(ContainerResponseContext response) {
        if (response.getHeaders().getFirst(HttpHeaders.LOCATION) instanceof URI location) {
            var query = location.getRawQuery();
            response.getHeaders()
                    .putSingle(HttpHeaders.LOCATION, location.getRawPath() + (query == null ? "" : "?" + query));
        }
    }
}
