package dev.orderly.inventory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.orderly.events.CardToken;
import dev.orderly.events.Money;
import dev.orderly.events.OrderEvent.Line;
import dev.orderly.events.OrderEvent.OrderPlaced;
import dev.orderly.events.OrderEvent.StockRejected;
import dev.orderly.events.OrderEvent.StockReserved;
import dev.orderly.events.PaymentMethod;
import dev.orderly.inventory.Reservation.Item;
import dev.orderly.inventory.Reservation.NotReserved;
import dev.orderly.inventory.Reservation.Status;
import java.time.Instant;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class ReservationTest {

    private static final UUID ORDER = UUID.randomUUID();
    private static final UUID CUSTOMER = UUID.randomUUID();
    private static final Money PRICE = Money.of(100, "EUR");
    private static final Money TOTAL = Money.of(12345, "EUR");
    private static final Instant PLACED_AT = Instant.parse("2026-11-23T10:15:30.123Z");
    private static final Instant NOW = PLACED_AT.plusSeconds(1);

    private final Map<String, Stock> stock =
            new HashMap<>(Map.of("mug", new Stock("mug", 5, 7, 1), "pen", new Stock("pen", 5, 7, 1)));

    @Test
    void all_lines_of_an_order_are_reserved_and_what_payment_needs_is_passed_on() {
        var reservation = Reservation.none(ORDER);

        var event = reservation.reserve(placed(line("mug", 2), line("pen", 5)), stock, NOW);

        assertThat(event).contains(new StockReserved(ORDER, CUSTOMER, TOTAL, PaymentMethod.BALANCE, null, null, NOW));
        assertThat(reservation.status()).isEqualTo(Status.RESERVED);
        assertThat(reservation.items()).containsExactly(new Item("mug", 2), new Item("pen", 5));
        assertThat(stock.values()).containsExactlyInAnyOrder(new Stock("mug", 3, 9, 1), new Stock("pen", 0, 12, 1));
    }

    @Test
    void the_card_of_an_order_is_passed_on_as_it_came_also_as_the_token_of_the_release_before() {
        var card = UUID.randomUUID();
        var token = new CardToken("tok_ok");

        assertThat(Reservation.none(ORDER).reserve(byCard(card, null), stock, NOW))
                .contains(new StockReserved(ORDER, CUSTOMER, TOTAL, PaymentMethod.CARD, card, null, NOW));
        assertThat(Reservation.none(ORDER).reserve(byCard(null, token), stock, NOW))
                .contains(new StockReserved(ORDER, CUSTOMER, TOTAL, PaymentMethod.CARD, null, token, NOW));
    }

    private static OrderPlaced byCard(UUID card, CardToken token) {
        var lines = List.of(line("mug", 1));
        return new OrderPlaced(ORDER, CUSTOMER, lines, TOTAL, PaymentMethod.CARD, card, token, PLACED_AT);
    }

    @Test
    void when_any_line_is_short_nothing_is_reserved_and_each_short_sku_is_named() {
        var reservation = Reservation.none(ORDER);

        var event = reservation.reserve(placed(line("unicorn", 1), line("mug", 5), line("pen", 6)), stock, NOW);

        assertThat(event).contains(new StockRejected(ORDER, List.of("unicorn", "pen"), NOW));
        assertThat(reservation.status()).isEqualTo(Status.REJECTED);
        assertThat(reservation.items()).isEmpty();
        assertThatStockIsUntouched();
    }

    @Test
    void lines_of_the_same_sku_add_up() {
        var enough = Reservation.none(ORDER);
        enough.reserve(placed(line("mug", 2), line("pen", 1), line("mug", 3)), stock, NOW);
        assertThat(enough.items()).containsExactly(new Item("mug", 5), new Item("pen", 1));

        var more = Reservation.none(ORDER);
        assertThat(more.reserve(placed(line("pen", 2), line("pen", 3)), stock, NOW))
                .contains(new StockRejected(ORDER, List.of("pen"), NOW));
    }

    @Test
    void quantities_beyond_an_int_do_not_overflow() {
        var huge = placed(line("mug", Integer.MAX_VALUE), line("mug", Integer.MAX_VALUE), line("mug", 4));

        assertThat(Reservation.none(ORDER).reserve(huge, stock, NOW))
                .contains(new StockRejected(ORDER, List.of("mug"), NOW));
        assertThatStockIsUntouched();
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "NONE")
    void a_known_order_is_not_reserved_and_publishes_nothing_again(Status status) {
        var reservation = reservation(status);

        assertThat(reservation.reserve(placed(line("mug", 1)), stock, NOW)).isEmpty();

        assertThat(reservation.status()).isEqualTo(status);
        assertThatStockIsUntouched();
    }

    /** All transitions of two mugs except being placed; a rejected one has no status after it. */
    @ParameterizedTest
    @CsvSource({
        "NONE,      commit,            ,  5, 7, 1",
        "RESERVED,  commit,   COMMITTED,  5, 5, 3",
        "REJECTED,  commit,            ,  5, 7, 1",
        "COMMITTED, commit,   COMMITTED,  5, 7, 1",
        "RELEASED,  commit,            ,  5, 7, 1",
        "NONE,      release,  RELEASED,   5, 7, 1",
        "RESERVED,  release,  RELEASED,   7, 5, 1",
        "REJECTED,  release,  REJECTED,   5, 7, 1",
        "COMMITTED, release,          ,   5, 7, 1",
        "RELEASED,  release,  RELEASED,   5, 7, 1",
    })
    void what_is_reserved_is_sold_or_released_once(
            Status before, String action, Status after, long available, long reserved, long sold) {
        var reservation = reservation(before);
        Runnable transition = () -> {
            if (action.equals("commit")) {
                reservation.commit(stock);
            } else {
                reservation.release(stock);
            }
        };

        if (after == null) {
            assertThatThrownBy(transition::run)
                    .isInstanceOf(NotReserved.class)
                    .hasMessageContainingAll(ORDER.toString(), before.name());
        } else {
            transition.run();
        }

        assertThat(reservation.status()).isEqualTo(after == null ? before : after);
        assertThat(stock.get("mug")).isEqualTo(new Stock("mug", available, reserved, sold));
        assertThat(stock.get("pen")).isEqualTo(new Stock("pen", 5, 7, 1));
    }

    @Test
    void an_order_that_was_cancelled_before_it_was_placed_reserves_nothing() {
        var reservation = Reservation.none(ORDER);

        reservation.release(stock);

        assertThat(reservation.reserve(placed(line("mug", 1)), stock, NOW)).isEmpty();
        assertThat(reservation.status()).isEqualTo(Status.RELEASED);
        assertThat(reservation.items()).isEmpty();
        assertThatStockIsUntouched();
    }

    private void assertThatStockIsUntouched() {
        assertThat(stock.values()).containsExactlyInAnyOrder(new Stock("mug", 5, 7, 1), new Stock("pen", 5, 7, 1));
    }

    /** Of two mugs, unless nothing was ever reserved. */
    private static Reservation reservation(Status status) {
        var items =
                status == Status.RESERVED || status == Status.COMMITTED ? List.of(new Item("mug", 2)) : List.<Item>of();
        return new Reservation(ORDER, status, items);
    }

    private static OrderPlaced placed(Line... lines) {
        return new OrderPlaced(
                ORDER, CUSTOMER, Arrays.asList(lines), TOTAL, PaymentMethod.BALANCE, null, null, PLACED_AT);
    }

    private static Line line(String sku, int quantity) {
        return new Line(sku, quantity, PRICE);
    }
}
