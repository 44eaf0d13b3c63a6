package dev.orderly.http;

import io.quarkus.vertx.http.runtime.security.SecurityHandlerPriorities;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.json.JsonObject;
import io.vertx.ext.web.RoutingContext;

/** Rejects requests before they reach a resource: at hardly any cost, and as a problem like all others. */
public final class EarlyRejection {

    /**
     * The priority of a filter that reads the head alone: before all others, the higher number first. Not
     * even the token is verified then, which costs more than the rejection: such a filter discloses only what
     * anyone may know.
     */
    public static final int HEAD = 10_000;

    /** Of the filter that requires a token: when it has been verified, and before a body is received. */
    static final int TOKEN = SecurityHandlerPriorities.AUTHORIZATION - 1;

    /** Of the filter that receives the body, {@link RequestBodyReceiver}. */
    static final int BODY = TOKEN - 1;

    /** Of a filter that counts or reserves something for a request, which it does when the body is there. */
    public static final int ADMISSION = BODY - 1;

    private EarlyRejection() {}

    /** Answers at once, and discards the body that may follow. */
    public static void reject(RoutingContext request, int status, String detail) {
        request.request().resume(); // or the next request of this connection would never be read
        request.response()
                .setStatusCode(status)
                .putHeader(HttpHeaders.CONTENT_TYPE, "application/problem+json")
                .end(new JsonObject()
                        .put("type", Problems.NO_SPECIAL_TYPE.toString())
                        .put("title", Problems.title(status))
                        .put("status", status)
                        .put("detail", detail)
                        .toBuffer());
    }

    /** Answers at once that the request may be repeated after some seconds, and discards the body. */
    public static void reject(RoutingContext request, int status, String detail, long retryAfterSeconds) {
        request.response().putHeader(HttpHeaders.RETRY_AFTER, String.valueOf(retryAfterSeconds));
        reject(request, status, detail);
    }

    static boolean hasBody(RoutingContext request) {
        return contentLength(request) > 0 || request.request().headers().contains(HttpHeaders.TRANSFER_ENCODING);
    }

    /** In bytes; -1 when the header is missing or is not a number. */
    public static long contentLength(RoutingContext request) {
        try {
            return Long.parseLong(request.request().getHeader(HttpHeaders.CONTENT_LENGTH));
        } catch (NumberFormatException _) {
            return -1; // also for null
        }
    }
}
