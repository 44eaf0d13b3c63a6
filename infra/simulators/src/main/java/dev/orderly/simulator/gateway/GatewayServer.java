package dev.orderly.simulator.gateway;

import static dev.orderly.simulator.gateway.PaymentStore.PROCESSING;
import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.orderly.simulator.gateway.PaymentStore.Payment;
import dev.orderly.simulator.gateway.PaymentStore.Result;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.regex.Pattern;

/**
 * The gateway's HTTP interface:
 *
 * <pre>
 *   PUT  /payments/{id}         {"merchant", "amount", "cardToken"}: captures it, once; 202 while the bank thinks
 *   GET  /payments/{id}         what became of it
 *   POST /payments/{id}/cancel  the same body: is never captured, unless it is already
 *   POST /payments/{id}/refund  gives it back, once
 *   GET  /log                   the journal, a line of JSON for everything that happened
 *   PUT  /fault                 {"manner": "hang", "seconds": 8}: how well-behaved payments behave for a while
 * </pre>
 */
public final class GatewayServer implements AutoCloseable {

    private static final Pattern PAYMENT = Pattern.compile("([A-Z]+) /payments/([\\w-]{1,64})(/cancel|/refund)?");
    private static final int MAX_BODY = 16 * 1024;
    private static final Duration HANG = Duration.ofSeconds(20);
    private static final Duration EARLY = Duration.ofSeconds(3);
    private static final int UNAVAILABLE_TIMES = 2;

    private final HttpServer server;
    private final byte[] authorization;
    private final PaymentStore payments;
    private final Map<String, Integer> refused = new ConcurrentHashMap<>();
    private volatile Fault fault = new Fault(CardBehaviour.PROMPT, Instant.EPOCH);

    private record Fault(CardBehaviour behaviour, Instant until) {}

    private record Answer(int status, String body) {}

    /** It may be larger than the memory, so it is not in here. */
    private static final Answer JOURNAL = new Answer(200, "");

    GatewayServer(InetSocketAddress address, Path journal, String apiKey, URI callbacks, List<String> secrets)
            throws IOException {
        authorization = ("Bearer " + apiKey).getBytes(UTF_8);
        payments = new PaymentStore(journal, new CallbackSender(callbacks, secrets));
        server = HttpServer.create(address, 0);
        server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
        server.createContext("/", this::handle);
        server.start();
    }

    /** Configured by its environment alone. */
    public static void main(String[] arguments) throws IOException {
        var gateway = new GatewayServer(
                new InetSocketAddress(
                        InetAddress.getByName(variable("GATEWAY_HOST")), Integer.parseInt(variable("GATEWAY_PORT"))),
                Path.of(variable("GATEWAY_JOURNAL")),
                variable("GATEWAY_API_KEY"),
                URI.create(variable("GATEWAY_CALLBACK_URL")),
                List.of(variable("GATEWAY_CALLBACK_SECRETS").split(",")));
        System.out.println("listening on " + gateway.server.getAddress());
    }

    private static String variable(String name) {
        var value = System.getenv(name);
        if (value == null || value.isEmpty()) {
            System.err.println("the environment has no " + name);
            System.exit(2);
        }
        return value;
    }

    int port() {
        return server.getAddress().getPort();
    }

    @Override
    public void close() throws IOException {
        server.stop(0);
        payments.close();
    }

    private void handle(HttpExchange exchange) throws IOException {
        try (exchange) {
            var answer = answer(exchange);
            var body = answer.body().getBytes(UTF_8);
            exchange.getResponseHeaders().set("Content-Type", "application/json");
            if (answer == JOURNAL) {
                exchange.sendResponseHeaders(answer.status(), 0); // in chunks
                payments.copyJournal(exchange.getResponseBody());
            } else {
                exchange.sendResponseHeaders(answer.status(), body.length == 0 ? -1 : body.length);
                exchange.getResponseBody().write(body);
            }
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    private Answer answer(HttpExchange exchange) throws IOException, InterruptedException {
        var route = exchange.getRequestMethod() + " " + exchange.getRequestURI().getPath();
        if (route.equals("GET /health")) {
            return new Answer(200, "{}");
        }
        var key = exchange.getRequestHeaders().getFirst("Authorization");
        if (key == null || !MessageDigest.isEqual(key.getBytes(UTF_8), authorization)) {
            return refusal(401, "who are you?");
        }
        var body = exchange.getRequestBody().readNBytes(MAX_BODY + 1);
        if (body.length > MAX_BODY) {
            return refusal(413, "too much");
        }
        try {
            var payment = PAYMENT.matcher(route);
            if (payment.matches()) {
                var what = payment.group(1) + (payment.group(3) == null ? "" : payment.group(3));
                return answer(what, payment.group(2), body);
            }
            return switch (route) {
                case "GET /log" -> JOURNAL;
                case "PUT /fault" -> behave(Journal.JSON.readTree(body));
                default -> refusal(404, "there is no " + route);
            };
        } catch (JsonProcessingException _) {
            return refusal(400, "not JSON");
        }
    }

    private Answer behave(JsonNode wanted) {
        var behaviour = CardBehaviour.named(wanted.path("manner").asText());
        behaviour.ifPresent(to -> fault =
                new Fault(to, Instant.now().plusSeconds(wanted.path("seconds").asLong())));
        return behaviour.isPresent() ? new Answer(200, "{}") : refusal(400, "no such behaviour");
    }

    private Answer answer(String what, String id, byte[] body) throws IOException, InterruptedException {
        if (isOn(CardBehaviour.UNAVAILABLE)) {
            return refusal(503, "come back later");
        }
        var known = payments.find(id);
        if (known.isEmpty() && (what.equals("GET") || what.equals("POST/refund"))) {
            return refusal(404, "no such payment");
        }
        if (what.equals("GET")) {
            return shown(known.get(), false);
        }
        var asked = wanted(id, Journal.JSON.readTree(body));
        if (asked.isEmpty()) {
            return refusal(422, "no such card, or no such amount");
        }
        var wanted = asked.get();
        if (known.isPresent() && !known.get().isSameAs(wanted)) {
            return refusal(409, "this is the id of another payment");
        }
        if (wanted.token().behaviour() == CardBehaviour.UNAVAILABLE
                && refused.merge(id, 1, Integer::sum) <= UNAVAILABLE_TIMES) {
            return refusal(503, "come back later");
        }
        return switch (what) {
            case "PUT" -> respond(payments.request(wanted));
            case "POST/cancel" -> respond(payments.cancel(wanted));
            case "POST/refund" -> respond(payments.refund(wanted));
            default -> refusal(405, "not so");
        };
    }

    private Answer respond(Result result) throws InterruptedException {
        var behaviour = result.payment().token().behaviour();
        if (isOn(CardBehaviour.HANG) || behaviour == CardBehaviour.HANG && result.isNew()) {
            TimeUnit.MILLISECONDS.sleep(HANG.toMillis());
        }
        if (isOn(CardBehaviour.ERROR) || behaviour == CardBehaviour.ERROR && result.isNew()) {
            return refusal(500, "something went wrong");
        }
        if (behaviour == CardBehaviour.EARLY) {
            try {
                result.callback().get(EARLY.toMillis(), TimeUnit.MILLISECONDS);
            } catch (ExecutionException | TimeoutException _) {
                // then it is not early
            }
        }
        return shown(
                result.payment(),
                result.isNew() && (behaviour == CardBehaviour.LATE || behaviour == CardBehaviour.NEVER));
    }

    /** @param quiet whether what has just happened is not said */
    private static Answer shown(Payment payment, boolean quiet) {
        var json = payment.json();
        if (quiet) {
            json.put(payment.refund().equals("none") ? "status" : "refund", PROCESSING);
        }
        return new Answer(quiet || payment.status().equals(PROCESSING) ? 202 : 200, json.toString());
    }

    /** Empty when there is no such card, or the amount is none. */
    private Optional<Payment> wanted(String id, JsonNode body) {
        var amount = body.path("amount");
        var card = body.path("cardToken").asText();
        if (amount.path("amount").asLong() < 1
                || !amount.path("currency").asText().matches("[A-Z]{3}")
                || !body.path("merchant").isTextual()) {
            return Optional.empty();
        }
        return TestCard.read(card)
                .map(token -> token.behaviour() == CardBehaviour.PROMPT && isOn(fault.behaviour())
                        ? token.in(fault.behaviour())
                        : token)
                .map(token -> Payment.wanted(id, body.path("merchant").asText(), amount, card, token));
    }

    private boolean isOn(CardBehaviour behaviour) {
        return fault.behaviour() == behaviour && Instant.now().isBefore(fault.until());
    }

    private static Answer refusal(int status, String why) {
        return new Answer(
                status, Journal.JSON.createObjectNode().put("error", why).toString());
    }
}
