package dev.orderly.console;

import dev.orderly.console.config.Problem;
import io.quarkus.security.AuthenticationFailedException;
import io.quarkus.security.UnauthorizedException;
import jakarta.ws.rs.Priorities;
import jakarta.ws.rs.core.Response;
import org.jboss.resteasy.reactive.server.ServerExceptionMapper;

/** What the page is told when nobody is logged in: no redirect, which a script could not follow. */
class LoginProblems {

    private static final int BEFORE_THE_LIBRARY = Priorities.USER - 2;

    @ServerExceptionMapper(priority = BEFORE_THE_LIBRARY)
    public Response sessionIsOver(AuthenticationFailedException failure) {
        return unauthorized();
    }

    @ServerExceptionMapper(priority = BEFORE_THE_LIBRARY)
    public Response noSession(UnauthorizedException failure) {
        return unauthorized();
    }

    private static Response unauthorized() {
        return Problem.of(401, "Log in first.").toResponse();
    }
}
