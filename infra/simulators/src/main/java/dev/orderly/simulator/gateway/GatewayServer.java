package dev.orderly.simulator.gateway;

import static dev.orderly.simulator.gateway.PaymentStore.PROCESSING;

import com.fasterxml.jackson.databind.JsonNode;
import dev.orderly.simulator.gateway.PaymentStore.Payment;
import dev.orderly.simulator.gateway.PaymentStore.Result;
import dev.orderly.simulator.http.JsonServer;
import dev.orderly.simulator.http.JsonServer.Request;
import dev.orderly.simulator.http.JsonServer.Response;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.regex.Pattern;

/**
 * The gateway's HTTP interface:
 *
 * <pre>
 *   PUT  /payments/{id}         {"merchant", "amount", "cardToken"}: captures it, once; 202 while processing
 *   GET  /payments/{id}         its status and outcome
 *   POST /payments/{id}/cancel  the same body: is never captured, unless it already is
 *   POST /payments/{id}/refund  refunds it, once; of a known payment the card may be left out
 *   GET  /log                   the journal, a line of JSON for each request and event
 *   PUT  /fault                 {"behaviour": "hang", "seconds": 8}: of payments by cards that choose none
 * </pre>
 */
public final class GatewayServer implements AutoCloseable {

    private static final Pattern PAYMENT = Pattern.compile("([A-Z]+) /payments/([\\w-]{1,64})(/cancel|/refund)?");
    private static final Duration HANG = Duration.ofSeconds(20);
    private static final Duration MAX_EARLY_WAIT = Duration.ofSeconds(3);
    private static final int UNAVAILABLE_TIMES = 2;

    private final JsonServer http;
    private final PaymentStore payments;
    private final Map<String, Integer> rejections = new ConcurrentHashMap<>();
    private volatile Fault fault = new Fault(CardBehaviour.PROMPT, Instant.EPOCH);

    private record Fault(CardBehaviour behaviour, Instant until) {}

    public GatewayServer(InetSocketAddress address, Path journal, String apiKey, URI callbacks, List<String> secrets)
            throws IOException {
        payments = new PaymentStore(journal, new CallbackSender(callbacks, secrets));
        http = new JsonServer(address, apiKey, this::respond);
    }

    @Override
    public void close() throws IOException {
        http.close();
        payments.close();
    }

    private Response respond(Request request) throws IOException, InterruptedException {
        var payment = PAYMENT.matcher(request.route());
        if (payment.matches()) {
            var operation = payment.group(1) + (payment.group(3) == null ? "" : payment.group(3));
            return respond(operation, payment.group(2), request);
        }
        return switch (request.route()) {
            case "GET /log" -> new Response(200, 0, payments::copyJournal);
            case "PUT /fault" -> inject(request.json());
            default -> Response.error(404, "there is no " + request.route());
        };
    }

    private Response inject(JsonNode requested) {
        var behaviour = CardBehaviour.named(requested.path("behaviour").asText());
        behaviour.ifPresent(to -> fault = new Fault(
                to, Instant.now().plusSeconds(requested.path("seconds").asLong())));
        return behaviour.isPresent() ? Response.ok() : Response.error(400, "no such behaviour");
    }

    private Response respond(String operation, String id, Request request) throws IOException, InterruptedException {
        if (isActive(CardBehaviour.UNAVAILABLE)) {
            return Response.error(503, "come back later");
        }
        var known = payments.find(id);
        if (known.isEmpty() && (operation.equals("GET") || operation.equals("POST/refund"))) {
            return Response.error(404, "no such payment");
        }
        if (operation.equals("GET")) {
            return payment(known.get(), false);
        }
        var valid = requested(id, request.json(), known.map(Payment::card).orElse(""));
        if (valid.isEmpty()) {
            return Response.error(422, "no such card, or no such amount");
        }
        var requested = valid.get();
        if (known.isPresent() && !known.get().isSameAs(requested)) {
            return Response.error(409, "this is the id of another payment");
        }
        if (requested.token().behaviour() == CardBehaviour.UNAVAILABLE
                && rejections.merge(id, 1, Integer::sum) <= UNAVAILABLE_TIMES) {
            return Response.error(503, "come back later");
        }
        return switch (operation) {
            case "PUT" -> respond(payments.request(requested));
            case "POST/cancel" -> respond(payments.cancel(requested));
            case "POST/refund" -> respond(payments.refund(requested));
            default -> Response.error(405, "a payment has no such operation");
        };
    }

    private Response respond(Result result) throws InterruptedException {
        var behaviour = result.payment().token().behaviour();
        if (isActive(CardBehaviour.HANG) || behaviour == CardBehaviour.HANG && result.isNew()) {
            TimeUnit.MILLISECONDS.sleep(HANG.toMillis());
        }
        if (isActive(CardBehaviour.ERROR) || behaviour == CardBehaviour.ERROR && result.isNew()) {
            return Response.error(500, "something went wrong");
        }
        if (behaviour == CardBehaviour.EARLY) {
            try {
                result.callback().get(MAX_EARLY_WAIT.toMillis(), TimeUnit.MILLISECONDS);
            } catch (ExecutionException | TimeoutException _) {
                // then it is not early
            }
        }
        return payment(
                result.payment(),
                result.isNew() && (behaviour == CardBehaviour.LATE || behaviour == CardBehaviour.NEVER));
    }

    /** @param concealed whether the response does not say what has just happened */
    private static Response payment(Payment payment, boolean concealed) {
        var json = payment.json();
        if (concealed) {
            json.put(payment.refund().equals("none") ? "status" : "refund", PROCESSING);
        }
        return Response.json(concealed || payment.status().equals(PROCESSING) ? 202 : 200, json);
    }

    /** Empty when card or amount is invalid. @param knownCard if the body names none */
    private Optional<Payment> requested(String id, JsonNode body, String knownCard) {
        var amount = body.path("amount");
        var card = body.path("cardToken").asText(knownCard);
        if (amount.path("amount").asLong() < 1
                || !amount.path("currency").asText().matches("[A-Z]{3}")
                || !body.path("merchant").isTextual()) {
            return Optional.empty();
        }
        return TestCard.parse(card)
                .map(token -> token.behaviour() == CardBehaviour.PROMPT && isActive(fault.behaviour())
                        ? token.with(fault.behaviour())
                        : token)
                .map(token -> Payment.requested(id, body.path("merchant").asText(), amount, card, token));
    }

    private boolean isActive(CardBehaviour behaviour) {
        return fault.behaviour() == behaviour && Instant.now().isBefore(fault.until());
    }
}
