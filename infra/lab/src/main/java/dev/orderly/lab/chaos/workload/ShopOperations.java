package dev.orderly.lab.chaos.workload;

import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.orderly.lab.chaos.workload.OperationHistory.Action;
import dev.orderly.lab.chaos.workload.OperationHistory.Intent;
import dev.orderly.lab.chaos.workload.OperationHistory.Operation;
import dev.orderly.lab.chaos.workload.OperationHistory.Outcome;
import dev.orderly.platform.operations.AccessTokens;
import dev.orderly.testkit.RunningPlatform;
import java.io.IOException;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpConnectTimeoutException;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/**
 * What clients request of the shop, every attempt recorded in the history. An operation of unknown outcome is
 * retried under its idempotency key until the outcome is known or the client gives up: after pauses that
 * grow, and all retries together at no more than the rate of new operations, so that the backlog of an outage
 * is not an outage of its own.
 */
final class ShopOperations implements AutoCloseable {
    /** A promise in a 503, by which the attempt counts as failed: the checks hold the services to it. */
    private static final String NOTHING_WAS_CHANGED = "Nothing was changed";

    private static final Duration REQUEST_TIMEOUT = Duration.ofSeconds(10);
    private static final Duration MAX_RETRY_TIME = Duration.ofSeconds(25);
    private static final int FIRST_PAUSE_MILLIS = 250;
    private static final int MAX_PAUSE_MILLIS = 10_000;
    private static final JsonMapper JSON = new JsonMapper();

    private final URI orders;
    private final URI inventory;
    private final URI payments;
    private final OperationHistory history;
    private final AccessTokens tokens;
    private final HttpClient http = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(Duration.ofSeconds(2))
            .build();

    private final long nanosBetweenRetries;
    /** When the next retry may begin, on the clock of {@link System#nanoTime}. */
    private final AtomicLong nextRetry = new AtomicLong(System.nanoTime());

    /** When clients stop retrying, on the same clock. */
    private volatile long giveUpAt = Long.MAX_VALUE;

    ShopOperations(RunningPlatform system, OperationHistory history, int maxRetriesPerSecond) {
        this.orders = system.url("order-service", "/");
        this.inventory = system.url("inventory-service", "/");
        this.payments = system.url("payment-service", "/");
        this.history = history;
        this.tokens = system.tokens();
        this.nanosBetweenRetries = TimeUnit.SECONDS.toNanos(1) / maxRetriesPerSecond;
    }

    void giveUpAfter(Duration time) {
        giveUpAt = System.nanoTime() + time.toNanos();
    }

    /** Once, without the history. */
    boolean addProduct(String sku, int price) {
        var body = Map.of("name", sku, "price", money(price));
        return send(Request.ofStaff("PUT", orders.resolve("products/" + sku), null, body)).outcome == Outcome.OK;
    }

    /** Once, without the history. */
    boolean setStock(String sku, long available) {
        return send(stock(sku, null, available)).outcome == Outcome.OK;
    }

    private Request stock(String sku, String key, long available) {
        return Request.ofStaff("PUT", inventory.resolve("stock/" + sku), key, Map.of("available", available));
    }

    /**
     * Returns the id of the order if it was accepted.
     *
     * @param card token of the card to pay with, or null to pay from the balance
     */
    Optional<String> place(String customer, String key, Intent intent, Map<String, Integer> lines, String card) {
        var cardId = card == null ? Optional.<String>empty() : leaveCard(customer, key, card);
        if (card != null && cardId.isEmpty()) {
            return Optional.empty(); // without a card there is no order
        }
        var items = lines.entrySet().stream()
                .map(line -> Map.of("sku", line.getKey(), "quantity", line.getValue()))
                .toList();
        var body = new HashMap<String, Object>(Map.of("customerId", customer, "lines", items));
        body.put("paymentMethod", card == null ? "BALANCE" : "CARD");
        cardId.ifPresent(id -> body.put("cardId", id));
        var request = new Request("POST", orders.resolve("orders"), customer, key, body);
        long amount = lines.values().iterator().next();
        return Optional.ofNullable(
                retried(request, Action.PLACE, customer, intent, amount).order());
    }

    private Optional<String> leaveCard(String customer, String key, String card) {
        var body = Map.of("customerId", customer, "cardToken", card);
        var request = new Request("POST", payments.resolve("cards"), customer, key, body);
        return Optional.ofNullable(
                retried(request, Action.LEAVE_CARD, customer, Intent.ANY, 0).order());
    }

    void cancel(String order, int delayMillis) {
        if (pause(delayMillis)) {
            var request = Request.ofStaff("POST", orders.resolve("orders/" + order + "/cancel"), null, null);
            retried(request, Action.CANCEL, order, Intent.ANY, 0);
        }
    }

    /** Returns the id of the customer if the registration was accepted. */
    Optional<String> register(TestPerson person, String key) {
        var request = new Request("POST", orders.resolve("customers"), null, key, person.registration());
        return Optional.ofNullable(retried(request, Action.REGISTER, person.marker(), Intent.ANY, 0)
                .order());
    }

    void erase(TestPerson person, String id, int delayMillis) {
        if (pause(delayMillis)) {
            var request = new Request("DELETE", orders.resolve("customers/" + id), id, null, null);
            retried(request, Action.ERASE, person.marker(), Intent.ANY, 0);
        }
    }

    Operation deposit(String customer, String key, long amount) {
        var url = payments.resolve("accounts/" + customer + "/deposits");
        var request = Request.ofStaff("POST", url, key, Map.of("amount", money(amount)));
        return retried(request, Action.DEPOSIT, customer, Intent.ANY, amount);
    }

    private static Map<String, Object> money(long amount) {
        return Map.of("amount", amount, "currency", "EUR");
    }

    Operation restock(String sku, String key, long available) {
        return retried(stock(sku, key, available), Action.RESTOCK, sku, Intent.ANY, available);
    }

    private Operation retried(Request request, Action action, String subject, Intent intent, long amount) {
        long deadline = System.nanoTime() + MAX_RETRY_TIME.toNanos();
        int maxPause = FIRST_PAUSE_MILLIS;
        boolean inDoubt = false;
        while (true) {
            var invoked = history.invoke(action, subject, request.key, intent, amount);
            var response = send(request);
            var operation = history.complete(invoked, response.outcome, response.status, response.id);
            int pause = ThreadLocalRandom.current().nextInt(maxPause / 2, maxPause);
            inDoubt |= operation.outcome() == Outcome.UNKNOWN;
            // That this attempt reached no service says nothing of the attempts before.
            boolean known = operation.outcome() == Outcome.OK
                    || operation.outcome() == Outcome.FAIL && !(inDoubt && response.retryable());
            if (known
                    || !pause(Math.max(pause, response.retryAfterMillis))
                    || !pause(millisUntilNextRetry())
                    || System.nanoTime() > deadline
                    || System.nanoTime() > giveUpAt) {
                return operation;
            }
            maxPause = Math.min(2 * maxPause, MAX_PAUSE_MILLIS);
        }
    }

    private int millisUntilNextRetry() {
        long now = System.nanoTime();
        long turn = nextRetry.getAndUpdate(next -> Math.max(next, now) + nanosBetweenRetries);
        return (int) TimeUnit.NANOSECONDS.toMillis(Math.max(0, turn - now));
    }

    private static boolean pause(int millis) {
        try {
            TimeUnit.MILLISECONDS.sleep(millis);
            return true;
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    /**
     * @param caller by whose token, or null for none
     * @param key for idempotency, or null
     */
    private record Request(String method, URI url, String caller, String key, Object body) {
        static Request ofStaff(String method, URI url, String key, Object body) {
            return new Request(method, url, AccessTokens.TOOLS, key, body);
        }
    }

    /** @param id of the order or customer that was answered */
    private record Response(Outcome outcome, int status, String id, int retryAfterMillis) {
        /** Nothing was changed, and the client is not at fault. */
        boolean retryable() {
            return outcome == Outcome.FAIL && status / 100 != 4;
        }
    }

    private Response send(Request request) {
        try {
            var body = request.body == null
                    ? BodyPublishers.noBody()
                    : BodyPublishers.ofString(JSON.writeValueAsString(request.body));
            var builder = HttpRequest.newBuilder(request.url)
                    .timeout(REQUEST_TIMEOUT)
                    .method(request.method, body)
                    .header("Content-Type", "application/json");
            if (request.caller != null) {
                builder.header("Authorization", tokens.bearer(request.caller));
            }
            if (request.key != null) {
                builder.header("Idempotency-Key", request.key);
            }
            var response = http.send(builder.build(), BodyHandlers.ofString());
            int status = response.statusCode();
            int retryAfter = (int) TimeUnit.SECONDS.toMillis(
                    response.headers().firstValueAsLong("Retry-After").orElse(0));
            return switch (status / 100) {
                case 2 -> new Response(Outcome.OK, status, idIn(response.body()), 0);
                case 4 -> new Response(status == 429 ? Outcome.UNKNOWN : Outcome.FAIL, status, null, retryAfter);
                default -> {
                    boolean unchanged = response.body().contains(NOTHING_WAS_CHANGED);
                    yield new Response(unchanged ? Outcome.FAIL : Outcome.UNKNOWN, status, null, retryAfter);
                }
            };
        } catch (ConnectException | HttpConnectTimeoutException _) {
            return new Response(Outcome.FAIL, 0, null, 0); // without a connection nothing was sent
        } catch (IOException _) {
            return new Response(Outcome.UNKNOWN, 0, null, 0);
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
            return new Response(Outcome.UNKNOWN, 0, null, 0);
        }
    }

    private static String idIn(String body) throws IOException {
        return JSON.readTree(body).path("id").asText(null);
    }

    @Override
    public void close() {
        http.shutdownNow();
    }
}
