package dev.orderly.database;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Of an application that has ended: there is no container, as nothing here starts one. */
class RetryingTransactionsTest {

    private final RetryingTransactions transactions = new RetryingTransactions(null, null, new SimpleMeterRegistry());

    @Test
    void what_comes_after_the_end_of_the_application_is_neither_done_nor_given_up() {
        var rejected = new ArrayList<String>();

        assertThatThrownBy(() -> transactions.commitBatch(
                        List.of("a record", "another"), List::size, _ -> {}, (record, _) -> rejected.add(record)))
                .isExactlyInstanceOf(IllegalStateException.class)
                .hasMessageContaining("stops");

        assertThat(rejected).isEmpty();
    }
}
