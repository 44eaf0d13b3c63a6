package dev.orderly.e2e;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.orderly.lab.chaos.check.TopicReader;
import dev.orderly.lab.chaos.fault.Sql;
import dev.orderly.testkit.RunningPlatform;
import dev.orderly.testkit.ShopClient;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.Stream;
import org.apache.kafka.common.header.Header;
import org.junit.jupiter.api.Test;

/** Every way an order can end, and what it leaves behind. */
@EndToEnd
class OutcomesTest {

    @Test
    void an_order_with_stock_and_money_is_confirmed() throws Exception {
        var shop = RunningSystem.shop(10, 5000);

        var id = shop.order(3);

        var order = shop.awaitEnd(id);
        assertThat(order.path("status").asText()).isEqualTo("CONFIRMED");
        assertThat(ShopClient.events(order))
                .containsExactly("OrderPlaced", "StockReserved", "PaymentCaptured", "OrderConfirmed");
        assertThat(order.at("/total/amount").asInt()).isEqualTo(3 * Shop.PRICE);
        shop.assertSpent(3 * Shop.PRICE);
        shop.assertSold(3);
        assertThat(shop.payment(id).path("status").asText()).isEqualTo("CAPTURED");
        shop.assertMailed(id, "CONFIRMED");
    }

    @Test
    void an_order_beyond_the_stock_is_rejected_and_costs_nothing() throws Exception {
        var shop = RunningSystem.shop(2, 5000);

        var id = shop.order(3);

        var order = shop.awaitEnd(id);
        assertThat(order.path("status").asText()).isEqualTo("REJECTED");
        assertThat(order.path("reason").asText()).isEqualTo("out of stock: " + shop.sku);
        assertThat(ShopClient.events(order)).containsExactly("OrderPlaced", "StockRejected", "OrderRejected");
        shop.assertSold(0);
        shop.assertSpent(0);
        shop.assertMailed(id, "REJECTED");
    }

    @Test
    void an_order_beyond_the_balance_is_rejected_and_its_stock_comes_back() throws Exception {
        var shop = RunningSystem.shop(10, 2999);

        var id = shop.order(3);

        var order = shop.awaitEnd(id);
        assertThat(order.path("status").asText()).isEqualTo("REJECTED");
        assertThat(ShopClient.events(order))
                .containsExactly("OrderPlaced", "StockReserved", "PaymentDeclined", "OrderRejected");
        shop.assertSold(0);
        shop.assertSpent(0);
        shop.assertMailed(id, "REJECTED");
    }

    @Test
    void a_token_opens_what_its_role_may_do_as_the_command_line_prints_it() throws Exception {
        var stock = RunningSystem.platform().url("inventory-service", "/stock");
        var statuses = new ArrayList<Integer>();
        for (var name : List.of("carl", "ann")) {
            var token = "Bearer " + RunningSystem.orderly("token", name).strip();
            statuses.add(ShopClient.send("GET", stock, null, Map.of("Authorization", token))
                    .statusCode());
        }
        statuses.add(ShopClient.send("GET", stock, null).statusCode());

        assertThat(statuses).containsExactly(200, 403, 401);
    }

    @Test
    void a_card_token_is_in_the_payment_of_its_order_and_nowhere_else() throws Exception {
        var shop = RunningSystem.shop(10, 0);
        // Of no other order, and the gateway knows it.
        var token = "tok_ok_%dh".formatted(ThreadLocalRandom.current().nextInt(1000, 10_000));

        var id = shop.orderByCard(3, token);

        assertThat(shop.awaitEnd(id).path("status").asText()).isEqualTo("CONFIRMED");
        shop.assertSold(3);
        shop.assertMailed(id, "CONFIRMED");
        assertThat(placesOf(id))
                .as("what is everywhere is found everywhere")
                .contains("topic order-service", "table orders.outbox", "table inventory.outbox");
        assertThat(placesOf(token)).containsExactly("table payments.payment");
    }

    /** The topics, tables and logs that have a text, in tables also as bytes. */
    private static Set<String> placesOf(String text) throws Exception {
        var platform = RunningSystem.platform();
        var places = new TreeSet<String>();
        TopicReader.readToEnd(platform, topic -> !topic.startsWith("__"), record -> {
            var headers = Stream.of(record.headers().toArray()).map(Header::value);
            if (Stream.concat(Stream.of(record.key(), record.value()), headers)
                    .filter(Objects::nonNull)
                    .anyMatch(part -> new String(part, ISO_8859_1).contains(text))) {
                places.add("topic " + record.topic());
            }
        });
        var bytes = HexFormat.of().formatHex(text.getBytes(UTF_8));
        for (var database : RunningPlatform.DATABASES) {
            for (var table : Sql.column(platform, database, """
                    SELECT relname FROM pg_class
                    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
                    """)) {
                if (platform.number(
                                database,
                                "SELECT count(*) FROM %s t WHERE t::text ~ '%s|%s'".formatted(table, text, bytes))
                        > 0) {
                    places.add("table " + database + '.' + table);
                }
            }
        }
        for (var process : platform.logged()) {
            // The simulators are the world outside, which gave the token to the customer.
            if (!process.equals("simulators") && platform.log(process).stream().anyMatch(line -> line.contains(text))) {
                places.add("log " + process);
            }
        }
        return places;
    }

    @Test
    void the_location_of_a_new_order_is_never_not_found() throws Exception {
        var shop = RunningSystem.shop(50, 50_000);
        for (var i = 0; i < 20; i++) {
            var accepted = shop.tryToOrder(1, UUID.randomUUID().toString());

            var location = accepted.headers().firstValue("Location").orElseThrow();
            var found = shop.follow(accepted.uri().resolve(location));
            assertThat(found.statusCode()).isEqualTo(200);
            assertThat(ShopClient.id(found)).isEqualTo(ShopClient.id(accepted));
        }
    }

    @Test
    void the_last_items_go_to_as_many_orders_as_there_are_and_to_no_more() throws Exception {
        var shop = RunningSystem.shop(5, 100_000);

        var orders = new ArrayList<String>();
        for (var i = 0; i < 20; i++) {
            orders.add(shop.order(1));
        }

        var statuses = new ArrayList<String>();
        for (var id : orders) {
            statuses.add(shop.awaitEnd(id).path("status").asText());
        }
        assertThat(statuses).filteredOn("CONFIRMED"::equals).hasSize(5);
        shop.assertSold(5);
        shop.assertSpent(5 * Shop.PRICE);
    }
}
