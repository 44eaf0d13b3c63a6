package dev.orderly.simulator.gateway;

import static dev.orderly.simulator.http.JsonServer.JSON;
import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.orderly.simulator.gateway.PaymentStore.Payment;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.time.Instant;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BiConsumer;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * Sends signed callbacks to the merchant, each until it is acknowledged with 200: at least once, in no
 * guaranteed order, and as the behaviour of the payment's card demands.
 */
final class CallbackSender {

    private static final Duration TIMEOUT = Duration.ofSeconds(5);
    private static final long MIN_BACKOFF_MILLIS = 500;
    private static final long MAX_BACKOFF_MILLIS = 30_000;
    private static final int DUPLICATES = 5;
    private static final Duration SHUFFLED_DELAY = Duration.ofSeconds(1);
    private static final Duration REPLAY_AGE = Duration.ofHours(1);

    private final URI url;
    private final List<String> secrets;
    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
    private final HttpClient http = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(Duration.ofSeconds(2))
            .build();

    /** @param secrets that are live; the first signs, unless the card says otherwise */
    CallbackSender(URI url, List<String> secrets) {
        this.url = url;
        this.secrets = secrets;
    }

    /**
     * Returns at once.
     *
     * @param journal gets "delivered" and the event's id, once, when the merchant has acknowledged it, and
     *     "acceptedForgery" and its id for each forgery that the merchant has acknowledged
     */
    Future<?> sendCallback(JsonNode event, Payment payment, BiConsumer<String, String> journal) {
        var behaviour = payment.token().behaviour();
        if (behaviour == CardBehaviour.NEVER) {
            return CompletableFuture.completedFuture(null);
        }
        var body = body(event, payment);
        var secret = behaviour == CardBehaviour.ROTATED ? secrets.getLast() : secrets.getFirst();
        if (behaviour == CardBehaviour.FORGED) {
            threads.submit(() -> forge(body, journal));
        }
        var first = new AtomicBoolean(true);
        Future<?> callback = null;
        for (int copy = 0; copy < (behaviour == CardBehaviour.DUPLICATE ? DUPLICATES : 1); copy++) {
            callback = threads.submit(() -> {
                TimeUnit.MILLISECONDS.sleep(delay(event, payment).toMillis());
                deliver(body.toString().getBytes(UTF_8), secret);
                if (first.getAndSet(false)) {
                    journal.accept("delivered", event.path("event").asText());
                }
                return null;
            });
        }
        return callback;
    }

    private static Duration delay(JsonNode event, Payment payment) {
        var happened = Instant.parse(event.path("at").asText());
        var due = switch (payment.token().behaviour()) {
            case LATE -> happened.plus(payment.token().delay());
            case SHUFFLED ->
                event.path("type").asText().endsWith(PaymentStore.PROCESSING)
                        ? happened.plus(SHUFFLED_DELAY)
                        : happened;
            default -> happened;
        };
        var delay = Duration.between(Instant.now(), due);
        return delay.isNegative() ? Duration.ZERO : delay;
    }

    /** The same to the byte in every attempt. */
    private static ObjectNode body(JsonNode event, Payment payment) {
        var body = JSON.createObjectNode()
                .put("id", event.path("event").asText())
                .put("type", event.path("type").asText())
                .put("merchant", payment.merchant())
                .put("paymentId", payment.id());
        body.set("amount", payment.amount());
        return body.put("reason", event.path("reason").asText(null))
                .put("createdAt", event.path("at").asText());
    }

    private void deliver(byte[] body, String secret) throws InterruptedException {
        long backoff = MIN_BACKOFF_MILLIS;
        while (!post(body, signature(secret, Instant.now(), body))) {
            TimeUnit.MILLISECONDS.sleep(backoff);
            backoff = Math.min(2 * backoff, MAX_BACKOFF_MILLIS);
        }
    }

    /** Returns whether it was acknowledged. */
    private boolean post(byte[] body, String signature) throws InterruptedException {
        var request = HttpRequest.newBuilder(url)
                .timeout(TIMEOUT)
                .header("Content-Type", "application/json")
                .POST(BodyPublishers.ofByteArray(body));
        if (signature != null) {
            request.header("Orderly-Signature", signature);
        }
        try {
            return http.send(request.build(), BodyHandlers.discarding()).statusCode() == 200;
        } catch (IOException _) {
            return false;
        }
    }

    static String signature(String secret, Instant time, byte[] body) {
        try {
            var mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(secret.getBytes(UTF_8), "HmacSHA256"));
            mac.update((time.getEpochSecond() + ".").getBytes(UTF_8));
            return "t=" + time.getEpochSecond() + ",v1=" + HexFormat.of().formatHex(mac.doFinal(body));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every Java has HMAC-SHA256", e);
        }
    }

    void close() {
        threads.shutdownNow();
        http.shutdownNow();
    }

    /** As an attacker would who knows everything but the secrets. */
    private Void forge(ObjectNode genuine, BiConsumer<String, String> journal) throws InterruptedException {
        var forged = genuine.deepCopy().put("id", genuine.path("id").asText() + "_forged");
        forged.put("type", forged.path("type").asText().endsWith("failed") ? "payment.succeeded" : "payment.refunded");
        var body = forged.toString().getBytes(UTF_8);
        var now = Instant.now();
        var ofGenuine = signature(secrets.getFirst(), now, genuine.toString().getBytes(UTF_8));
        var signatures = new String[] {
            null,
            "",
            "t=" + now.getEpochSecond(),
            signature("x".repeat(32), now, body),
            ofGenuine,
            signature(secrets.getFirst(), now.minus(REPLAY_AGE), body),
        };
        for (var signature : signatures) {
            if (post(body, signature)) {
                journal.accept("acceptedForgery", forged.path("id").asText());
            }
        }
        return null;
    }
}
