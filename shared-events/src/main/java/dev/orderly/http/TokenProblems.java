package dev.orderly.http;

import io.quarkiverse.resteasy.problem.HttpProblem;
import io.quarkus.security.AuthenticationFailedException;
import io.quarkus.security.UnauthorizedException;
import jakarta.ws.rs.Priorities;
import jakarta.ws.rs.core.Response;
import org.jboss.resteasy.reactive.server.ServerExceptionMapper;

/**
 * The answers to a request with an invalid token, or with none. Before the mappers of the problem library
 * (at {@code USER - 1}), which fail with this version of Quarkus.
 */
class TokenProblems {

    private static final int BEFORE_THE_LIBRARY = Priorities.USER - 2;

    @ServerExceptionMapper(priority = BEFORE_THE_LIBRARY)
    public Response invalid(AuthenticationFailedException failure) {
        return unauthorized(TokenFilter.INVALID).toResponse();
    }

    @ServerExceptionMapper(priority = BEFORE_THE_LIBRARY)
    public Response missing(UnauthorizedException failure) {
        return unauthorized(TokenFilter.REQUIRED).toResponse();
    }

    private static HttpProblem unauthorized(String detail) {
        return Problems.problem(401, detail)
                .withHeader("WWW-Authenticate", "Bearer")
                .build();
    }
}
