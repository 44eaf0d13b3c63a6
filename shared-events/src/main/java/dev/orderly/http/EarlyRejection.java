package dev.orderly.http;

import io.vertx.core.http.HttpHeaders;
import io.vertx.core.json.JsonObject;
import io.vertx.ext.web.RoutingContext;

/** Refuses requests of which nothing but the head was looked at: at hardly any cost, and in the shape of all problems. */
public final class EarlyRejection {

    /** The priority of a filter that looks at the head alone: such come before all others, the higher number first. */
    public static final int FIRST = 10_000;

    private EarlyRejection() {}

    /** Answers at once; the body that may still come is thrown away. */
    public static void refuse(RoutingContext request, int status, String title, String detail) {
        request.request().resume(); // or the next request of this connection would never be read
        request.response()
                .setStatusCode(status)
                .putHeader(HttpHeaders.CONTENT_TYPE, "application/problem+json")
                .end(new JsonObject()
                        .put("type", Problems.NO_SPECIAL_TYPE.toString())
                        .put("title", title)
                        .put("status", status)
                        .put("detail", detail)
                        .toBuffer());
    }

    /** The same, to one who may come again. */
    public static void refuse(RoutingContext request, int status, String title, String detail, int retryAfterSeconds) {
        request.response().putHeader(HttpHeaders.RETRY_AFTER, String.valueOf(retryAfterSeconds));
        refuse(request, status, title, detail);
    }

    static boolean hasBody(RoutingContext request) {
        return length(request) > 0 || request.request().headers().contains(HttpHeaders.TRANSFER_ENCODING);
    }

    /** How long the body is said to be, in bytes; -1 when it is not, or not in a number. */
    public static long length(RoutingContext request) {
        try {
            return Long.parseLong(request.request().getHeader(HttpHeaders.CONTENT_LENGTH));
        } catch (NumberFormatException _) {
            return -1; // also for null
        }
    }
}
