package dev.orderly.lab.load;

import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpClient;
import io.vertx.core.http.HttpClientOptions;
import io.vertx.core.http.HttpClientRequest;
import io.vertx.core.http.HttpClientResponse;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.PoolOptions;
import io.vertx.core.http.RequestOptions;
import java.net.URI;
import java.time.Duration;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;

/** HTTP requests by the thousand per second to one service, without a thread for each. */
public final class LoadClient implements AutoCloseable {
    /** A service closes connections after 60 s of silence; a request on such a one would fail. */
    private static final int IDLE_SECONDS = 30;

    /** Longer than a query may wait for the end of an order. */
    static final Duration MAX_RESPONSE = Duration.ofSeconds(60);

    /** With fewer, requests would wait for each other on a busy machine. */
    private static final int EVENT_LOOPS = 8;

    private final Vertx vertx = Vertx.vertx(new VertxOptions().setEventLoopPoolSize(EVENT_LOOPS));
    private final HttpClient client;
    private final URI service;
    private final Duration maxResponse;

    /** @param retryAfterMillis how long the service asks to wait before the next request; 0 if it does not */
    public record Response(int status, Buffer body, long retryAfterMillis) {}

    public LoadClient(URI service, int connections) {
        this(service, connections, MAX_RESPONSE);
    }

    /** @param maxResponse after which a request has failed, also while it waits for a connection */
    LoadClient(URI service, int connections, Duration maxResponse) {
        this.service = service;
        this.maxResponse = maxResponse;
        client = vertx.createHttpClient(
                new HttpClientOptions()
                        .setKeepAlive(true)
                        .setKeepAliveTimeout(IDLE_SECONDS)
                        .setTcpNoDelay(true),
                new PoolOptions().setHttp1MaxSize(connections).setMaxWaitQueueSize(-1));
    }

    /**
     * Each request under an idempotency key of its own. It fails when it has no response within a minute.
     *
     * @param bearer the header {@code Authorization}
     */
    public Future<Response> post(String path, String contentType, String bearer, Buffer body) {
        return post(path, contentType, bearer, body, null);
    }

    /** @param traceparent of the trace that the request is in, or null */
    public Future<Response> post(String path, String contentType, String bearer, Buffer body, String traceparent) {
        return send(HttpMethod.POST, path, request -> {
            request.putHeader("Content-Type", contentType)
                    .putHeader("Authorization", bearer)
                    .putHeader("Idempotency-Key", UUID.randomUUID().toString());
            if (traceparent != null) {
                request.putHeader("traceparent", traceparent);
            }
            return request.send(body);
        });
    }

    /** It fails when it has no response within a minute. */
    public Future<Response> get(String path, String bearer) {
        return send(
                HttpMethod.GET,
                path,
                request -> request.putHeader("Authorization", bearer).send());
    }

    private Future<Response> send(
            HttpMethod method, String path, Function<HttpClientRequest, Future<HttpClientResponse>> how) {
        return client.request(options(method, path))
                .compose(how)
                .compose(LoadClient::read)
                .timeout(maxResponse.toMillis(), TimeUnit.MILLISECONDS);
    }

    private static Future<Response> read(HttpClientResponse response) {
        var after = response.getHeader("Retry-After");
        long millis = after == null ? 0 : TimeUnit.SECONDS.toMillis(Long.parseLong(after));
        return response.body().map(body -> new Response(response.statusCode(), body, millis));
    }

    public void after(long millis, Runnable action) {
        vertx.setTimer(Math.max(1, millis), _ -> action.run());
    }

    private RequestOptions options(HttpMethod method, String path) {
        return new RequestOptions()
                .setMethod(method)
                .setHost(service.getHost())
                .setPort(service.getPort())
                .setURI(path)
                .setIdleTimeout(maxResponse.toMillis()); // which gives the connection back
    }

    @Override
    public void close() {
        client.close();
        vertx.close();
    }
}
