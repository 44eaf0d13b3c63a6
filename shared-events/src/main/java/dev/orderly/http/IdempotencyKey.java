package dev.orderly.http;

import io.quarkiverse.resteasy.problem.HttpProblem;
import jakarta.ws.rs.core.HttpHeaders;

/** What the header is to be by which a request may be repeated. */
public final class IdempotencyKey {

    public static final String HEADER = "Idempotency-Key";
    public static final String PATTERN = "[!-~]{1,255}";
    public static final String MESSAGE =
            "the header Idempotency-Key must be 1 to 255 printable ASCII characters without spaces";

    private IdempotencyKey() {}

    /**
     * For requests that may do without: an empty header arrives as none, and what was meant to be repeatable would not be.
     *
     * @throws HttpProblem 400, when there is such a header
     */
    public static void refuseEmpty(String key, HttpHeaders headers) {
        if (key == null && headers.getRequestHeaders().containsKey(HEADER)) {
            throw Problems.badRequest(HEADER, MESSAGE);
        }
    }
}
