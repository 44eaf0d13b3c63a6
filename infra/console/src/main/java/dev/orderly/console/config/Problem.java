package dev.orderly.console.config;

import io.quarkiverse.resteasy.problem.HttpProblem;
import jakarta.ws.rs.core.Response.Status;

/** Problem documents by <a href="https://www.rfc-editor.org/rfc/rfc9457">RFC 9457</a>, to be thrown. */
public final class Problem {

    private Problem() {}

    /** Its title is that of the status. */
    public static HttpProblem of(int status, String detail) {
        return HttpProblem.builder()
                .withTitle(Status.fromStatusCode(status).getReasonPhrase())
                .withStatus(status)
                .withDetail(detail)
                .build();
    }
}
