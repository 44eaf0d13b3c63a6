package dev.orderly.http;

import io.quarkiverse.resteasy.problem.HttpProblem;
import java.net.URI;
import java.util.List;

/** Problem documents by <a href="https://www.rfc-editor.org/rfc/rfc9457">RFC 9457</a>, to be thrown. */
public final class Problems {

    static final URI NO_SPECIAL_TYPE = URI.create("about:blank");
    static final int RETRY_AFTER_SECONDS = 1;

    private Problems() {}

    /** What is wrong with a field of the request. */
    public record FieldError(String field, String message) {}

    public static HttpProblem badRequest(String field, String message) {
        return problem(400, message)
                .with("errors", List.of(new FieldError(field, message)))
                .build();
    }

    public static HttpProblem forbidden(String detail) {
        return problem(403, detail).build();
    }

    public static HttpProblem notFound(String detail) {
        return problem(404, detail).build();
    }

    public static HttpProblem conflict(String detail) {
        return problem(409, detail).build();
    }

    public static HttpProblem unprocessable(String detail) {
        return problem(422, detail).build();
    }

    public static HttpProblem unprocessable(String detail, List<FieldError> errors) {
        return problem(422, detail).with("errors", errors).build();
    }

    /** The request may be repeated after a second. */
    public static HttpProblem unavailable(String detail) {
        return problem(503, detail)
                .withHeader("Retry-After", RETRY_AFTER_SECONDS)
                .build();
    }

    /** Any problem. Its title is that of the status, as RFC 9457 demands for the type {@code about:blank}. */
    public static HttpProblem.Builder problem(int status, String detail) {
        return HttpProblem.builder()
                .withType(NO_SPECIAL_TYPE)
                .withTitle(title(status))
                .withStatus(status)
                .withDetail(detail);
    }

    /** By RFC 9110; the libraries have older names for some. */
    static String title(int status) {
        return switch (status) {
            case 400 -> "Bad Request";
            case 401 -> "Unauthorized";
            case 403 -> "Forbidden";
            case 404 -> "Not Found";
            case 408 -> "Request Timeout";
            case 409 -> "Conflict";
            case 410 -> "Gone";
            case 411 -> "Length Required";
            case 412 -> "Precondition Failed";
            case 413 -> "Content Too Large";
            case 415 -> "Unsupported Media Type";
            case 422 -> "Unprocessable Content";
            case 429 -> "Too Many Requests";
            case 500 -> "Internal Server Error";
            case 503 -> "Service Unavailable";
            default -> throw new IllegalArgumentException("no title for status " + status);
        };
    }
}
