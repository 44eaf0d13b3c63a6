package dev.orderly.http;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.quarkiverse.resteasy.problem.HttpProblem;
import jakarta.ws.rs.core.HttpHeaders;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

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

    /** For resources where the header is required. */
    public static final String REQUIRED = "the header Idempotency-Key is required";

    private IdempotencyKey() {}

    /**
     * What is stored of a key, and of the request that it was used for: SHA-256, 32 bytes. A client may
     * choose anything for a key, a mail address too, and rows with keys outlive the erasure of a customer.
     */
    public static byte[] hash(String text) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(text.getBytes(UTF_8));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }

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
