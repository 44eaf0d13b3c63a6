package dev.orderly.http;

import io.quarkiverse.resteasy.problem.HttpProblem;
import jakarta.ws.rs.core.HttpHeaders;

/**
 * The header by which a request may be repeated (<a
 * href="https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/">The Idempotency-Key HTTP
 * Header Field</a>).
 */
public final class IdempotencyKey {

    public static final String HEADER = "Idempotency-Key";
    public static final String PATTERN = "[!-~]{1,255}";
    public static final String MESSAGE =
            "the header Idempotency-Key must be 1 to 255 printable ASCII characters without spaces";

    private IdempotencyKey() {}

    /**
     * For resources where the header is optional. An empty header arrives as null, and a request that was
     * meant to be repeatable would not be.
     *
     * @throws HttpProblem 400, when there is such a header
     */
    public static void rejectEmpty(String key, HttpHeaders headers) {
        if (key == null && headers.getRequestHeaders().containsKey(HEADER)) {
            throw Problems.badRequest(HEADER, MESSAGE);
        }
    }
}
