package dev.orderly.lab.scenario;

import static dev.orderly.lab.scenario.Scenario.number;
import static dev.orderly.lab.scenario.Scenario.text;
import static dev.orderly.testkit.ShopClient.expect;
import static dev.orderly.testkit.ShopClient.id;

import com.fasterxml.jackson.databind.JsonNode;
import dev.orderly.platform.ConsoleProgress;
import dev.orderly.platform.ServiceDefinition;
import dev.orderly.platform.config.CommandFailedException;
import dev.orderly.platform.config.PlatformSettings;
import dev.orderly.platform.operations.AccessTokens;
import dev.orderly.testkit.Await;
import dev.orderly.testkit.ShopClient;
import java.io.PrintStream;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import picocli.CommandLine.Help.Ansi;

/**
 * The demo: one order for each way an order can end, each checked down to stock and money, each shown with
 * what happened to it and when. It fills stock and accounts first, so it can be run again on old data.
 */
public final class SampleOrders {
    /** ann and bob to the identity provider. */
    private static final String RICH = "0198c6a2-0000-7000-8000-000000000001";

    private static final String POOR = "0198c6a2-0000-7000-8000-000000000002";
    private static final long RICH_BALANCE = 1_000_00;
    private static final long POOR_BALANCE = 5_00;

    private static final int TRIES_TO_CANCEL = 10;
    /** For stock and money to follow an order that has ended. */
    private static final Duration MAX_WAIT = Duration.ofSeconds(20);

    /** The catalogue; the last has less stock than one sample order asks for. */
    private static final List<Product> PRODUCTS = List.of(
            new Product("mug", "Mug", 19_99, 100),
            new Product("t-shirt", "T-shirt", 24_99, 100),
            new Product("book", "Book on events", 39_99, 100),
            new Product("golden-mug", "Mug, golden, the last one", 99_99, 1));

    private final ShopClient shop;
    private final AccessTokens tokens;
    private final List<ServiceDefinition> services;
    private final PlatformSettings settings;
    private final PrintStream out;
    private final Ansi ansi = ConsoleProgress.onTerminal() ? Ansi.ON : Ansi.OFF;

    private record Product(String sku, String name, long price, int stock) {}

    /** An order, and how it must end. */
    private record Case(String name, String customer, Map<String, Integer> lines, String status, String reason) {}

    /** All that an order may change: stock by SKU, and the customer's balance. */
    private record Holdings(Map<String, ShopClient.Stock> stock, long balance) {}

    /** How an order ended. */
    private record Sample(Case expected, JsonNode order, Instant placed, Optional<String> complaint) {
        String got() {
            return order.path("status").asText()
                    + (order.hasNonNull("reason") ? ", " + order.path("reason").asText() : "");
        }

        long millis(JsonNode event) {
            return Duration.between(
                            placed, Instant.parse(event.path("occurredAt").asText()))
                    .toMillis();
        }

        long millis() {
            var timeline = order.path("timeline");
            return timeline.isEmpty() ? 0 : millis(timeline.path(timeline.size() - 1));
        }
    }

    public SampleOrders(
            PlatformSettings settings, List<ServiceDefinition> services, AccessTokens tokens, PrintStream out) {
        this.out = out;
        this.settings = settings;
        this.services = services;
        this.tokens = tokens;
        this.shop = new ShopClient(this::url, tokens);
    }

    private URI url(String service, String path) {
        return ServiceDefinition.named(services, service).url(path);
    }

    /** Places them all, prints what became of them, and says whether every outcome was right. */
    public boolean run() throws InterruptedException {
        seed();
        var samples = new ArrayList<Sample>();
        samples.add(place(new Case("Enough of everything", RICH, Map.of("mug", 2, "book", 1), "CONFIRMED", "")));
        samples.add(place(new Case(
                "More golden mugs than there are", RICH, Map.of("mug", 1, "golden-mug", 5), "REJECTED", "stock")));
        samples.add(place(new Case("More than the account holds", POOR, Map.of("t-shirt", 1), "REJECTED", "balance")));
        samples.add(cancelled());
        samples.forEach(this::print);
        out.println(summary(samples));
        printWhereToGoOn();
        return samples.stream().allMatch(s -> s.complaint().isEmpty());
    }

    private void seed() throws InterruptedException {
        for (Product product : PRODUCTS) {
            shop.putProduct(product.sku(), product.name(), product.price());
            shop.putStock(product.sku(), product.stock());
        }
        fillUp(RICH, RICH_BALANCE);
        fillUp(POOR, POOR_BALANCE);
    }

    private void fillUp(String customer, long wanted) throws InterruptedException {
        long missing = wanted - shop.balance(customer);
        if (missing > 0) {
            shop.deposit(customer, missing);
        }
    }

    private Sample place(Case expected) throws InterruptedException {
        var before = holdings(expected);
        Instant placed = Instant.now();
        String id = id(shop.place(ShopClient.order(expected.customer(), expected.lines())));
        return checked(expected, before, shop.awaitEnd(id), placed);
    }

    /** Cancels at once. The order may be confirmed before that is processed, so it may take more than one. */
    private Sample cancelled() throws InterruptedException {
        var expected = new Case("Cancelled by the customer", RICH, Map.of("book", 1), "CANCELLED", "");
        for (int i = 0; i < TRIES_TO_CANCEL; i++) {
            var before = holdings(expected);
            Instant placed = Instant.now();
            String id = id(shop.place(ShopClient.order(RICH, expected.lines())));
            var response = shop.cancel(RICH, id);
            var order = shop.awaitEnd(id);
            if (response.statusCode() != 409) {
                expect(response);
                return checked(expected, before, order, placed);
            }
        }
        throw new CommandFailedException(
                "none of " + TRIES_TO_CANCEL + " orders could be cancelled before it was confirmed");
    }

    private Sample checked(Case expected, Holdings before, JsonNode order, Instant placed) throws InterruptedException {
        String status = order.path("status").asText();
        String reason = order.path("reason").asText();
        String complaint = null;
        if (!status.equals(expected.status())) {
            complaint = "the order is " + status + ", not " + expected.status();
        } else if (!reason.contains(expected.reason())) {
            complaint = "the reason is " + reason + ", not about " + expected.reason();
        } else {
            var after = status.equals("CONFIRMED") ? confirmed(expected, before, order) : before;
            if (!Await.within(MAX_WAIT, () -> holdings(expected).equals(after))) {
                complaint = "stock and balance are " + holdings(expected) + ", not " + after;
            }
        }
        return new Sample(expected, order, placed, Optional.ofNullable(complaint));
    }

    /** A confirmed order leaves behind what it sold and what it cost; any other nothing at all. */
    private static Holdings confirmed(Case expected, Holdings before, JsonNode order) {
        var stock = new LinkedHashMap<>(before.stock());
        expected.lines()
                .forEach((sku, quantity) -> stock.computeIfPresent(
                        sku,
                        (_, s) -> new ShopClient.Stock(s.available() - quantity, s.reserved(), s.sold() + quantity)));
        return new Holdings(stock, before.balance() - order.at("/total/amount").asLong());
    }

    private Holdings holdings(Case order) throws InterruptedException {
        var stock = new LinkedHashMap<String, ShopClient.Stock>();
        for (String sku : order.lines().keySet()) {
            stock.put(sku, shop.stock(sku));
        }
        return new Holdings(stock, shop.balance(order.customer()));
    }

    private void print(Sample sample) {
        out.println(ansi.string("%n@|bold %s|@ · order %s"
                .formatted(sample.expected().name(), sample.order().path("id").asText())));
        var events = new ArrayList<JsonNode>();
        sample.order().path("timeline").forEach(events::add);
        out.println(Scenario.table(
                events,
                List.of(
                        text("event", e -> e.path("type").asText()),
                        text("status", e -> e.path("status").asText()),
                        text("source", e -> e.path("source").asText()),
                        number("partition", e -> e.path("partition").asText()),
                        number("offset", e -> e.path("offset").asText()),
                        number("ms since POST", e -> String.valueOf(sample.millis(e))))));
    }

    private String summary(List<Sample> samples) {
        var table = Scenario.table(
                samples,
                List.of(
                        text("order", s -> s.expected().name()),
                        text("expected", s -> s.expected().status()),
                        text("got", Sample::got),
                        number("after ms", s -> String.valueOf(s.millis())),
                        text("right?", s -> s.complaint().isEmpty() ? "yes" : "NO")));
        var complaints = samples.stream()
                .filter(s -> s.complaint().isPresent())
                .map(s -> "\n" + ansi.string("@|red wrong:|@ ") + s.expected().name() + ": "
                        + s.complaint().get())
                .toList();
        return "\n" + table + String.join("", complaints);
    }

    private void printWhereToGoOn() {
        var orders = url(ServiceDefinition.ORDERS, "/");
        var connect =
                "http://%s:%d".formatted(PlatformSettings.HOST, settings.ports().connect());
        var mail =
                "http://%s:%d".formatted(PlatformSettings.HOST, settings.ports().mailApi());
        out.println("""

                Orders         %1$sorders
                Connect        %3$s/connectors?expand=status   (user and password: docs/security.md)
                Mail           %4$s/api/user

                Try, as ann (a customer; bob is one, too), carl (a clerk) or olga (an operator):
                curl -i %1$sorders -H "Authorization: Bearer $(./orderly token ann%6$s)" \\
                  -H 'Content-Type: application/json' -H "Idempotency-Key: $RANDOM$RANDOM" \\
                  -d '{"customerId":"%5$s","lines":[{"sku":"mug","quantity":1}],"paymentMethod":"BALANCE"}'
                curl '%1$sorders?limit=3' -H "Authorization: Bearer $(./orderly token ann%6$s)"
                curl %2$sstock/mug -H "Authorization: Bearer $(./orderly token carl%6$s)"\
                """.formatted(orders, url(ServiceDefinition.STOCK, "/"), connect, mail, RICH, tokens.options()));
    }
}
