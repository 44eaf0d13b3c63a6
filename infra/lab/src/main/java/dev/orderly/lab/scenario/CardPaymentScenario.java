package dev.orderly.lab.scenario;

import static com.github.freva.asciitable.HorizontalAlign.LEFT;
import static dev.orderly.testkit.ShopClient.expect;
import static dev.orderly.testkit.ShopClient.json;
import static dev.orderly.testkit.ShopClient.send;

import com.fasterxml.jackson.databind.JsonNode;
import com.github.freva.asciitable.AsciiTable;
import com.github.freva.asciitable.Column;
import com.github.freva.asciitable.ColumnData;
import dev.orderly.platform.ServiceDefinition;
import dev.orderly.platform.config.PlatformSettings;
import dev.orderly.platform.config.Secrets;
import dev.orderly.testkit.ShopClient;
import java.io.PrintStream;
import java.net.URI;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;

/**
 * Orders by card, all at once, one for each way a gateway can behave; and what became of each here, in the ledger and at the
 * gateway, whose own log is the witness.
 */
public final class CardPaymentScenario {
    private static final String CUSTOMER = "0198c6a2-0000-7000-8000-000000000003";
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final Duration POLL = Duration.ofMillis(100);

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
            Case.paid("somebody else calls back, too", "tok_forged"),
            Case.cancelled("cancelled while the bank thinks", "tok_slow_4s"));

    private final URI orders;
    private final URI inventory;
    private final URI payments;
    private final URI gateway;
    private final String apiKey;
    private final PrintStream out;

    /** @param cancelled whether the customer changes their mind at once */
    private record Case(String name, String token, boolean cancelled, String order, String payment, String atGateway) {
        static Case paid(String name, String token) {
            return new Case(name, token, false, "CONFIRMED", "CAPTURED", "captured");
        }

        static Case declined(String name, String token) {
            return new Case(name, token, false, "REJECTED", "DECLINED", "declined");
        }

        static Case cancelled(String name, String token) {
            return new Case(name, token, true, "CANCELLED", "REFUNDED", "refunded");
        }
    }

    /** How a case ended. */
    private record End(Case wanted, JsonNode order, String payment, String atGateway, long captures) {
        boolean isRight() {
            return order.path("status").asText().equals(wanted.order)
                    && payment.equals(wanted.payment)
                    && atGateway.equals(wanted.atGateway)
                    && captures == (wanted.payment.equals("DECLINED") ? 0 : 1);
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

    public CardPaymentScenario(PlatformSettings settings, List<ServiceDefinition> services, PrintStream out) {
        this.orders = ServiceDefinition.named(services, "order-service").url("/");
        this.inventory = ServiceDefinition.named(services, "inventory-service").url("/");
        this.payments =
                ServiceDefinition.named(services, ServiceDefinition.PAYMENTS).url("/");
        this.gateway = URI.create("http://%s:%d/"
                .formatted(PlatformSettings.HOST, settings.ports().gateway()));
        this.apiKey = Secrets.of(settings.data(), List.of()).of(Secrets.GATEWAY_API_KEY);
        this.out = out;
    }

    /** Places them all, prints what became of them, and says whether everything was right. */
    public boolean run() throws InterruptedException {
        expect(send(
                "PUT",
                orders.resolve("products/mug"),
                Map.of("name", "Mug", "price", Map.of("amount", 19_99, "currency", "EUR"))));
        expect(send("PUT", inventory.resolve("stock/mug"), Map.of("available", 100)));
        boolean refused = cardNumberIsRefused();
        var accepted = new LinkedHashMap<Case, HttpResponse<String>>();
        for (var wanted : CASES) {
            accepted.put(wanted, expect(post(wanted.token)));
        }
        for (var each : accepted.entrySet()) {
            if (each.getKey().cancelled) {
                cancelAtTheGateway(json(each.getValue()).path("id").asText());
            }
        }
        var ends = new ArrayList<End>();
        for (var each : accepted.entrySet()) {
            ends.add(end(each.getKey(), each.getValue()));
        }
        print(ends);
        long acceptedForgeries = log().stream()
                .filter(line -> line.contains("\"acceptedForgery\""))
                .count();
        out.printf("%na card number instead of a token: %s%n", refused ? "refused, and not repeated" : "NOT REFUSED");
        out.printf("forged, recorded and unsigned callbacks that were acknowledged: %d%n", acceptedForgeries);
        return refused && acceptedForgeries == 0 && ends.stream().allMatch(End::isRight);
    }

    private boolean cardNumberIsRefused() throws InterruptedException {
        var answer = post("4242424242424242");
        return answer.statusCode() == 400 && !answer.body().contains("4242");
    }

    private HttpResponse<String> post(String token) throws InterruptedException {
        return send(
                "POST",
                orders.resolve("orders"),
                Map.of(
                        "customerId",
                        CUSTOMER,
                        "lines",
                        List.of(Map.of("sku", "mug", "quantity", 1)),
                        "paymentMethod",
                        "CARD",
                        "cardToken",
                        token));
    }

    /** As soon as the gateway has heard of it: before, there would be nothing to be late. */
    private void cancelAtTheGateway(String order) throws InterruptedException {
        long end = System.nanoTime() + PATIENCE.toNanos();
        while (atGateway(order).equals("unknown") && System.nanoTime() < end) {
            TimeUnit.MILLISECONDS.sleep(POLL.toMillis());
        }
        expect(send("POST", orders.resolve("orders/" + order + "/cancel"), null));
    }

    private End end(Case wanted, HttpResponse<String> accepted) throws InterruptedException {
        String id = json(accepted).path("id").asText();
        var order = ShopClient.awaitEnd(accepted);
        long end = System.nanoTime() + PATIENCE.toNanos();
        while (!(payment(id).equals(wanted.payment) && atGateway(id).equals(wanted.atGateway))
                && System.nanoTime() < end) {
            TimeUnit.MILLISECONDS.sleep(POLL.toMillis());
        }
        // Only now is everything that was to be told of it in its timeline.
        order = json(expect(send("GET", orders.resolve("orders/" + id), null)));
        long captures = log().stream()
                .filter(line -> line.contains(id) && line.contains("payment.succeeded") && line.contains("\"event\""))
                .count();
        return new End(wanted, order, payment(id), atGateway(id), Math.min(captures, 2));
    }

    private String payment(String order) throws InterruptedException {
        return json(send("GET", payments.resolve("payments/" + order), null))
                .path("status")
                .asText();
    }

    private String atGateway(String order) throws InterruptedException {
        var answer = send("GET", gateway.resolve("payments/" + order), null, authorization());
        if (answer.statusCode() == 404) {
            return "unknown";
        }
        var shown = json(expect(answer));
        return switch (shown.path("status").asText()) {
            case "succeeded" -> shown.path("refund").asText().equals("succeeded") ? "refunded" : "captured";
            case "failed" -> "declined";
            default -> shown.path("status").asText();
        };
    }

    private List<String> log() throws InterruptedException {
        return expect(send("GET", gateway.resolve("log"), null, authorization()))
                .body()
                .lines()
                .toList();
    }

    private Map<String, String> authorization() {
        return Map.of("Authorization", "Bearer " + apiKey);
    }

    private void print(List<End> ends) {
        out.println();
        out.println(AsciiTable.getTable(
                AsciiTable.NO_BORDERS,
                ends,
                List.of(
                        text("the gateway", end -> end.wanted().name()),
                        text("order", end -> end.order().path("status").asText()),
                        text("payment", End::payment),
                        text("at the gateway", End::atGateway),
                        new Column().header("captured").with((End end) -> end.captures() + " x"),
                        new Column().header("ended after ms").with((End end) -> String.valueOf(end.millis())),
                        text("right?", end -> end.isRight() ? "yes" : "NO"))));
    }

    private static ColumnData<End> text(String header, Function<End, String> value) {
        return new Column().header(header).headerAlign(LEFT).dataAlign(LEFT).with(value);
    }
}
