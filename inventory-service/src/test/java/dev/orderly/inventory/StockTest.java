package dev.orderly.inventory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class StockTest {

    private final Stock stock = new Stock("mug", 5, 3, 1);

    @Test
    void quantities_move_from_available_to_reserved_to_sold_and_none_is_lost() {
        assertThat(stock.reserve(2)).isEqualTo(new Stock("mug", 3, 5, 1));
        assertThat(stock.sell(2)).isEqualTo(new Stock("mug", 5, 1, 3));
        assertThat(stock.release(2)).isEqualTo(new Stock("mug", 7, 1, 1));
    }

    @Test
    void it_suffices_to_the_last_piece() {
        assertThat(stock.suffices(5)).isTrue();
        assertThat(stock.suffices(6)).isFalse();
        assertThat(stock.reserve(5)).isEqualTo(new Stock("mug", 0, 8, 1));
    }

    @Test
    void no_move_takes_more_than_there_is() {
        assertThatThrownBy(() -> stock.reserve(6)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> stock.sell(4)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> stock.release(4)).isInstanceOf(IllegalArgumentException.class);
    }

    @ParameterizedTest
    @ValueSource(longs = {0, -1, Long.MIN_VALUE})
    void only_positive_quantities_move(long quantity) {
        assertThatThrownBy(() -> stock.reserve(quantity)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> stock.sell(quantity)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> stock.release(quantity)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void no_quantity_is_negative() {
        assertThatThrownBy(() -> new Stock("mug", -1, 0, 0)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new Stock("mug", 0, -1, 0)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new Stock("mug", 0, 0, -1)).isInstanceOf(IllegalArgumentException.class);
    }
}
