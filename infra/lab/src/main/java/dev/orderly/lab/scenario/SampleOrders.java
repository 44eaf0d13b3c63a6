package dev.orderly.lab.scenario;

import static com.github.freva.asciitable.HorizontalAlign.LEFT;
import static dev.orderly.testkit.ShopClient.expect;
import static dev.orderly.testkit.ShopClient.json;
import static dev.orderly.testkit.ShopClient.send;
import static java.util.stream.Collectors.joining;

import com.fasterxml.jackson.databind.JsonNode;
import com.github.freva.asciitable.AsciiTable;
import com.github.freva.asciitable.Column;
import com.github.freva.asciitable.ColumnData;
import dev.orderly.platform.ConsoleProgress;
import dev.orderly.platform.ServiceDefinition;
import dev.orderly.platform.config.CommandFailedException;
import dev.orderly.platform.config.PlatformSettings;
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
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.stream.StreamSupport;
import picocli.CommandLine.Help.Ansi;

/**
 * The demo: one order for each way an order can end, each checked down to stock and money, each shown with what happened to
 * it and when. It fills stock and accounts first, so it can be run again on old data.
 */
public final class SampleOrders {
    private static final String RICH = "0198c6a2-0000-7000-8000-000000000001";
    private static final String POOR = "0198c6a2-0000-7000-8000-000000000002";
    private static final long RICH_BALANCE = 1_000_00;
    private static final long POOR_BALANCE = 5_00;

    private static final int TRIES_TO_CANCEL = 10;
    /** For the services to take note of an order that has ended, and for one that is being restarted to come back. */
    private static final Duration PATIENCE = Duration.ofSeconds(20);

    private static final Duration POLL = Duration.ofMillis(50);

    /** The catalogue; of the last there are fewer than somebody will order. */
    private static final List<Product> PRODUCTS = List.of(
            new Product("mug", "Mug", 19_99, 100),
            new Product("t-shirt", "T-shirt", 24_99, 100),
            new Product("book", "Book on events", 39_99, 100),
            new Product("golden-mug", "Mug, golden, the last one", 99_99, 1));

    private final URI orders;
    private final URI inventory;
    private final URI payments;
    private final List<ServiceDefinition> services;
    private final PlatformSettings settings;
    private final PrintStream out;
    private final Ansi ansi = ConsoleProgress.onTerminal() ? Ansi.ON : Ansi.OFF;

    private record Product(String sku, String name, long price, int stock) {}

    private record Item(String sku, int quantity) {}

    /** All that an order may change: stock by SKU and what a customer has. */
    private record Holdings(Map<String, Stock> stock, long balance) {}

    private record Stock(long available, long reserved, long sold) {
        Stock sell(int quantity) {
            return new Stock(available - quantity, reserved, sold + quantity);
        }
    }

    /** An order that was to end in a certain way, and how it did. */
    private record Sample(String name, String expected, JsonNode order, Instant placed, Optional<String> complaint) {
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

    public SampleOrders(PlatformSettings settings, List<ServiceDefinition> services, PrintStream out) {
        this.out = out;
        this.settings = settings;
        this.services = services;
        this.orders = url("order-service");
        this.inventory = url("inventory-service");
        this.payments = url("payment-service");
    }

    private URI url(String name) {
        return services.stream()
                .filter(s -> s.name().equals(name))
                .findFirst()
                .orElseThrow()
                .url("/");
    }

    /** Places them all, prints what became of them, and says whether every outcome was right. */
    public boolean run() throws InterruptedException {
        seed();
        var samples = new ArrayList<Sample>();
        samples.add(
                place("Enough of everything", "CONFIRMED", "", RICH, List.of(new Item("mug", 2), new Item("book", 1))));
        samples.add(place(
                "More golden mugs than there are",
                "REJECTED",
                "stock",
                RICH,
                List.of(new Item("mug", 1), new Item("golden-mug", 5))));
        samples.add(place("More than the account holds", "REJECTED", "balance", POOR, List.of(new Item("t-shirt", 1))));
        samples.add(cancelled());
        samples.forEach(this::print);
        out.println(summary(samples));
        printWhereToGoOn();
        return samples.stream().allMatch(s -> s.complaint().isEmpty());
    }

    private void seed() throws InterruptedException {
        for (Product product : PRODUCTS) {
            expect(send(
                    "PUT",
                    orders.resolve("products/" + product.sku()),
                    Map.of("name", product.name(), "price", euros(product.price()))));
            expect(send("PUT", inventory.resolve("stock/" + product.sku()), Map.of("available", product.stock())));
        }
        fillUp(RICH, RICH_BALANCE);
        fillUp(POOR, POOR_BALANCE);
    }

    private void fillUp(String customer, long wanted) throws InterruptedException {
        long missing = wanted - balance(customer);
        if (missing > 0) {
            expect(send(
                    "POST", payments.resolve("accounts/" + customer + "/deposits"), Map.of("amount", euros(missing))));
        }
    }

    private static Map<String, Object> euros(long cents) {
        return Map.of("amount", cents, "currency", "EUR");
    }

    private Sample place(String name, String expected, String reason, String customer, List<Item> items)
            throws InterruptedException {
        var before = holdings(customer, items);
        Instant placed = Instant.now();
        var order = ShopClient.awaitEnd(post(customer, items));
        return judged(name, expected, reason, customer, items, before, order, placed);
    }

    /** Cancels at once; an order may be confirmed before the customer is heard, so it may take more than one. */
    private Sample cancelled() throws InterruptedException {
        var items = List.of(new Item("book", 1));
        for (int i = 0; i < TRIES_TO_CANCEL; i++) {
            var before = holdings(RICH, items);
            Instant placed = Instant.now();
            var accepted = post(RICH, items);
            String id = json(accepted).path("id").asText();
            var answer = send("POST", orders.resolve("orders/" + id + "/cancel"), null);
            var order = ShopClient.awaitEnd(accepted);
            if (answer.statusCode() == 409) {
                continue;
            }
            expect(answer);
            return judged("Cancelled by the customer", "CANCELLED", "", RICH, items, before, order, placed);
        }
        throw new CommandFailedException(
                "none of " + TRIES_TO_CANCEL + " orders could be cancelled before it was confirmed");
    }

    private HttpResponse<String> post(String customer, List<Item> items) throws InterruptedException {
        var body = Map.of("customerId", customer, "lines", items, "paymentMethod", "BALANCE");
        return expect(send("POST", orders.resolve("orders"), body));
    }

    private Sample judged(
            String name,
            String expected,
            String reason,
            String customer,
            List<Item> items,
            Holdings before,
            JsonNode order,
            Instant placed)
            throws InterruptedException {
        var complaints = new ArrayList<String>();
        String got = order.path("status").asText();
        if (!got.equals(expected)) {
            complaints.add("the order is " + got + ", not " + expected);
        } else if (!order.path("reason").asText().contains(reason)) {
            complaints.add("the reason is " + order.path("reason").asText() + ", not about " + reason);
        } else {
            // What an order leaves behind: what it sold and what it cost if it was confirmed, and else nothing at all.
            boolean confirmed = expected.equals("CONFIRMED");
            var stock = new LinkedHashMap<>(before.stock());
            if (confirmed) {
                items.forEach(i -> stock.computeIfPresent(i.sku(), (_, s) -> s.sell(i.quantity())));
            }
            long total = order.path("total").path("amount").asLong();
            var should = new Holdings(stock, before.balance() - (confirmed ? total : 0));
            awaitHoldings(customer, items, should).ifPresent(complaints::add);
        }
        return new Sample(name, expected, order, placed, complaints.stream().findFirst());
    }

    // An order has ended as soon as order-service says so; the others hear of it a moment later.
    private Optional<String> awaitHoldings(String customer, List<Item> items, Holdings should)
            throws InterruptedException {
        Instant deadline = Instant.now().plus(PATIENCE);
        Holdings are = holdings(customer, items);
        while (!are.equals(should)) {
            if (Instant.now().isAfter(deadline)) {
                return Optional.of("stock and balance are " + are + ", not " + should);
            }
            TimeUnit.MILLISECONDS.sleep(POLL.toMillis());
            are = holdings(customer, items);
        }
        return Optional.empty();
    }

    private Holdings holdings(String customer, List<Item> items) throws InterruptedException {
        var stock = new LinkedHashMap<String, Stock>();
        for (Item item : items) {
            var s = json(expect(send("GET", inventory.resolve("stock/" + item.sku()), null)));
            stock.put(
                    item.sku(),
                    new Stock(
                            s.path("available").asLong(),
                            s.path("reserved").asLong(),
                            s.path("sold").asLong()));
        }
        return new Holdings(stock, balance(customer));
    }

    private long balance(String customer) throws InterruptedException {
        var response = send("GET", payments.resolve("accounts/" + customer), null);
        if (response.statusCode() == 404) {
            return 0; // opens with the first deposit
        }
        return StreamSupport.stream(json(expect(response)).path("balances").spliterator(), false)
                .filter(b -> b.path("currency").asText().equals("EUR"))
                .mapToLong(b -> b.path("amount").asLong())
                .sum();
    }

    private void print(Sample sample) {
        out.println(ansi.string("%n@|bold %s|@ · order %s"
                .formatted(sample.name(), sample.order().path("id").asText())));
        var events = new ArrayList<JsonNode>();
        sample.order().path("timeline").forEach(events::add);
        out.println(AsciiTable.getTable(
                AsciiTable.NO_BORDERS,
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
        var table = AsciiTable.getTable(
                AsciiTable.NO_BORDERS,
                samples,
                List.of(
                        text("order", Sample::name),
                        text("expected", Sample::expected),
                        text("got", Sample::got),
                        number("after ms", s -> String.valueOf(s.millis())),
                        text("right?", s -> s.complaint().isEmpty() ? "yes" : "NO")));
        var complaints = samples.stream()
                .filter(s -> s.complaint().isPresent())
                .map(s -> "\n" + ansi.string("@|red wrong:|@ ") + s.name() + ": "
                        + s.complaint().get())
                .toList();
        return "\n" + table + String.join("", complaints);
    }

    private static <T> ColumnData<T> text(String header, Function<T, String> value) {
        return new Column().header(header).headerAlign(LEFT).dataAlign(LEFT).with(value);
    }

    private static <T> ColumnData<T> number(String header, Function<T, String> value) {
        return new Column().header(header).with(value);
    }

    private void printWhereToGoOn() {
        var others = services.stream()
                .map(s -> s.url("/"))
                .filter(url -> !url.equals(orders))
                .map(URI::toString)
                .collect(joining(", "));
        var connect =
                "http://%s:%d".formatted(PlatformSettings.HOST, settings.ports().connect());
        var mail =
                "http://%s:%d".formatted(PlatformSettings.HOST, settings.ports().mailApi());
        out.println("""

                Orders         %1$sorders     API  %1$sq/swagger-ui
                Health         %1$sq/health   (and the same of the other services: %3$s)
                Connect        %4$s/connectors?expand=status
                Mail           %5$s/api/user

                Try:
                curl -i %1$sorders -H 'Content-Type: application/json' -H "Idempotency-Key: $RANDOM$RANDOM" \\
                  -d '{"customerId":"%6$s","lines":[{"sku":"mug","quantity":1}],"paymentMethod":"BALANCE"}'
                curl '%1$sorders?customerId=%6$s&limit=3'
                curl %2$sstock/mug\
                """.formatted(orders, inventory, others, connect, mail, RICH));
    }
}
