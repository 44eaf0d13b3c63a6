package dev.orderly.lab.scenario;

import static dev.orderly.testkit.ShopClient.expect;
import static dev.orderly.testkit.ShopClient.id;
import static dev.orderly.testkit.ShopClient.json;
import static dev.orderly.testkit.ShopClient.orderByCard;
import static dev.orderly.testkit.ShopClient.send;

import com.fasterxml.jackson.databind.JsonNode;
import dev.orderly.platform.config.Secrets;
import dev.orderly.testkit.Await;
import dev.orderly.testkit.RunningPlatform;
import dev.orderly.testkit.ShopClient;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;

/**
 * {@code ./orderly scenario card-payment}: orders by card, all at once, one for each way a gateway can
 * behave, and how each ended here, in the ledger, and at the gateway, whose own log is the witness.
 */
@Command(
        name = "card-payment",
        description =
                "Pay by card with a payment gateway that declines, is slow, fails, repeats itself and is impersonated.")
public final class CardPaymentScenario extends Scenario {
    private static final String CUSTOMER = "0198c6a2-0000-7000-8000-000000000003";
    private static final Duration MAX_WAIT = Duration.ofSeconds(60);

    private static final List<Case> CASES = List.of(
            Case.paid("a good card", "tok_ok"),
            Case.declined("a card that is declined", "tok_declined"),
            Case.paid("the bank takes 3 s", "tok_slow_3s"),
            Case.declined("the bank takes 3 s, and declines", "tok_declined_slow_3s"),
            Case.paid("the callback overtakes the answer", "tok_early"),
            Case.paid("the callback comes five times", "tok_duplicate"),
            Case.paid("callbacks come in the wrong order", "tok_shuffled"),
            Case.paid("the callback is two hours late", "tok_late_2h"),
            Case.paid("there is never a callback", "tok_never"),
            Case.paid("captured, but the answer is 500", "tok_error"),
            Case.paid("503 twice, then captured", "tok_unavailable"),
            Case.paid("captured, but no answer for 20 s", "tok_hang"),
            Case.paid("signed with the next secret", "tok_rotated"),
            Case.paid("an impostor calls back, too", "tok_forged"),
            Case.cancelled("cancelled while the bank decides", "tok_slow_4s"));

    private RunningPlatform system;
    private ShopClient shop;

    /** How the gateway behaves with a token, and how an order paid with it must end. */
    private record Case(String name, String token, String order, String payment, String atGateway) {
        boolean cancelled() {
            return order.equals("CANCELLED");
        }

        static Case paid(String name, String token) {
            return new Case(name, token, "CONFIRMED", "CAPTURED", "captured");
        }

        static Case declined(String name, String token) {
            return new Case(name, token, "REJECTED", "DECLINED", "declined");
        }

        static Case cancelled(String name, String token) {
            return new Case(name, token, "CANCELLED", "REFUNDED", "refunded");
        }
    }

    /** How a case ended. */
    private record End(Case expected, JsonNode order, String payment, String atGateway, long captures) {
        boolean isRight() {
            return order.path("status").asText().equals(expected.order)
                    && payment.equals(expected.payment)
                    && atGateway.equals(expected.atGateway)
                    && captures == (expected.payment.equals("DECLINED") ? 0 : 1);
        }

        long millis() {
            var timeline = order.path("timeline");
            return Duration.between(
                            Instant.parse(order.path("placedAt").asText()),
                            Instant.parse(timeline.path(timeline.size() - 1)
                                    .path("occurredAt")
                                    .asText()))
                    .toMillis();
        }
    }

    @Override
    boolean run(RunningPlatform system, ShopClient shop) throws InterruptedException {
        this.system = system;
        this.shop = shop;
        shop.putProduct("mug", "Mug", 19_99);
        shop.putStock("mug", 100);
        var cardNumber = shop.leaveCard(CUSTOMER, "4242424242424242");
        boolean rejected = cardNumber.statusCode() == 400 && !cardNumber.body().contains("4242");
        var orders = new LinkedHashMap<Case, String>();
        for (var expected : CASES) {
            var card = id(shop.leaveCard(CUSTOMER, expected.token));
            orders.put(expected, id(shop.place(orderByCard(CUSTOMER, Map.of("mug", 1), card))));
        }
        for (var order : orders.entrySet()) {
            if (order.getKey().cancelled()) {
                // Not before the gateway has the payment: there would be nothing to refund.
                Await.within(MAX_WAIT, () -> !atGateway(order.getValue()).equals("unknown"));
                expect(shop.cancel(CUSTOMER, order.getValue()));
            }
        }
        var ends = new ArrayList<End>();
        for (var order : orders.entrySet()) {
            ends.add(end(order.getKey(), order.getValue()));
        }
        System.out.println("\n"
                + table(
                        ends,
                        List.of(
                                text("the gateway", end -> end.expected().name()),
                                text("order", end -> end.order().path("status").asText()),
                                text("payment", End::payment),
                                text("at the gateway", End::atGateway),
                                number("captured", end -> end.captures() + " x"),
                                number("ended after ms", end -> String.valueOf(end.millis())),
                                text("right?", end -> end.isRight() ? "yes" : "NO"))));
        long forged = countInLog("\"acceptedForgery\"");
        System.out.println();
        return check("a card number instead of a token is rejected, and not repeated", rejected)
                & check("forged, replayed and unsigned callbacks that were acknowledged: " + forged, forged == 0)
                & ends.stream().allMatch(End::isRight);
    }

    private End end(Case expected, String id) throws InterruptedException {
        shop.awaitEnd(id);
        Await.within(
                MAX_WAIT,
                () -> payment(id).equals(expected.payment) && atGateway(id).equals(expected.atGateway));
        // Read again: only now does the timeline hold all events.
        var order = shop.order(id);
        return new End(expected, order, payment(id), atGateway(id), countInLog(id, "payment.succeeded", "\"event\""));
    }

    private String payment(String order) throws InterruptedException {
        return shop.payment(order).path("status").asText();
    }

    private String atGateway(String order) throws InterruptedException {
        var response = gateway("/payments/" + order);
        if (response.statusCode() == 404) {
            return "unknown";
        }
        var payment = json(expect(response));
        return switch (payment.path("status").asText()) {
            case "succeeded" -> payment.path("refund").asText().equals("succeeded") ? "refunded" : "captured";
            case "failed" -> "declined";
            default -> payment.path("status").asText();
        };
    }

    private long countInLog(String... texts) throws InterruptedException {
        return expect(gateway("/log"))
                .body()
                .lines()
                .filter(line -> List.of(texts).stream().allMatch(line::contains))
                .count();
    }

    private HttpResponse<String> gateway(String path) throws InterruptedException {
        var authorization = Map.of("Authorization", "Bearer " + system.secret(Secrets.GATEWAY_API_KEY));
        return send("GET", system.url("gateway", path), null, authorization);
    }
}
