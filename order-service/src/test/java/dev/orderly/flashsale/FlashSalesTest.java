package dev.orderly.flashsale;

import static org.assertj.core.api.Assertions.assertThat;

import dev.orderly.IntegrationTest;
import dev.orderly.flashsale.FlashSales.Announcement;
import io.quarkus.narayana.jta.QuarkusTransaction;
import io.quarkus.test.junit.QuarkusTest;
import jakarta.inject.Inject;
import java.time.Instant;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** The cache of the sales. */
@QuarkusTest
class FlashSalesTest extends IntegrationTest {

    @Inject
    FlashSales sales;

    private final String sale = "sale-" + UUID.randomUUID();

    @Test
    void a_sale_is_there_once_it_is_committed_and_not_before_whenever_the_cache_is_refreshed() {
        var announced = QuarkusTransaction.requiringNew().call(() -> {
            var opensAt = Instant.parse("2026-01-01T00:00:00Z");
            var announcement = sales.announce(
                    new FlashSale(sale, "console", 5, opensAt, Instant.parse("2099-01-01T00:00:00Z"), 0, 0));
            assertThat(sales.cached(sale)).isEmpty();
            QuarkusTransaction.suspendingExisting().run(sales::refreshCache);
            return announcement;
        });

        assertThat(announced).isEqualTo(Announcement.ANNOUNCED);
        assertThat(sales.cached(sale)).isPresent();
    }
}
