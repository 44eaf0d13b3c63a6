package dev.orderly.http;

import jakarta.ws.rs.container.ContainerRequestContext;
import org.jboss.resteasy.reactive.server.ServerRequestFilter;

/**
 * Rejects an {@code Accept} header that is not a list of media types, before the request is done: RESTEasy
 * Reactive would fail by it when it writes the answer.
 */
class AcceptHeaderFilter {

    @ServerRequestFilter
    public void check(ContainerRequestContext request) {
        try {
            request.getAcceptableMediaTypes();
        } catch (IllegalArgumentException _) {
            throw Problems.problem(400, "The Accept header is not a list of media types.")
                    .build();
        }
    }
}
