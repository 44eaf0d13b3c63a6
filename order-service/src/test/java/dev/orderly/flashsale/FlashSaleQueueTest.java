package dev.orderly.flashsale;

import static org.assertj.core.api.Assertions.assertThat;

import dev.orderly.flashsale.FlashSaleQueue.SaleQueue;
import java.time.Instant;
import org.junit.jupiter.api.Test;

/** How long the queue of a sale is; {@link FlashSaleTest} has who is admitted to it. */
class FlashSaleQueueTest {

    private final SaleQueue queue = new SaleQueue();

    @Test
    void buyers_of_another_sale_in_the_same_partition_do_not_count() {
        queue.acknowledged(1_000);
        queue.acknowledged(21_000);
        queue.acknowledged(21_001);

        assertThat(queue.length(decidedBefore(0))).isEqualTo(3);
        assertThat(queue.length(decidedBefore(1_001))).isEqualTo(2);
        assertThat(queue.length(decidedBefore(21_002))).isZero();
    }

    @Test
    void an_older_copy_of_the_sale_makes_the_queue_no_longer() {
        queue.acknowledged(7);

        assertThat(queue.length(decidedBefore(8))).isZero();
        assertThat(queue.length(decidedBefore(0))).isZero();
    }

    private static FlashSale decidedBefore(long offset) {
        return new FlashSale("sale", "console", 40, Instant.EPOCH, Instant.MAX, 1, offset);
    }
}
