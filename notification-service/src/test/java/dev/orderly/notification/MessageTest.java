package dev.orderly.notification;

import static org.assertj.core.api.Assertions.assertThat;

import dev.orderly.events.Money;
import dev.orderly.events.OrderEvent.OrderCancelled;
import dev.orderly.events.OrderEvent.OrderConfirmed;
import dev.orderly.events.OrderEvent.OrderRejected;
import dev.orderly.notification.Message.Kind;
import java.time.Instant;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MessageTest {

    private static final Instant NOW = Instant.parse("2026-11-23T10:15:30.123Z");

    private final UUID order = UUID.randomUUID();
    private final UUID customer = UUID.randomUUID();

    @Test
    void a_confirmation_names_the_order_and_the_total() {
        var message = Message.confirmed(new OrderConfirmed(order, customer, Money.of(3998, "EUR"), NOW));

        assertThat(message.kind()).isEqualTo(Kind.CONFIRMED);
        assertThat(message.referenceId()).isEqualTo(order);
        assertThat(message.customerId()).isEqualTo(customer);
        assertThat(message.subject()).isEqualTo("Your order " + order + " is confirmed");
        assertThat(message.body()).contains(order.toString(), "The total is 39.98 EUR.");
    }

    @ParameterizedTest
    @CsvSource({"5, EUR, 0.05 EUR", "0, EUR, 0.00 EUR", "1250000, EUR, 12500.00 EUR", "500, JPY, 500 JPY"})
    void a_total_has_the_decimals_of_its_currency(long amount, String currency, String readable) {
        var message = Message.confirmed(new OrderConfirmed(order, customer, Money.of(amount, currency), NOW));

        assertThat(message.body()).contains("The total is " + readable + ".");
    }

    @Test
    void a_rejection_says_why_and_that_nothing_was_charged() {
        var message = Message.rejected(new OrderRejected(order, customer, "out of stock: mug", NOW));

        assertThat(message.kind()).isEqualTo(Kind.REJECTED);
        assertThat(message.customerId()).isEqualTo(customer);
        assertThat(message.subject()).isEqualTo("Your order " + order + " could not be accepted");
        assertThat(message.body())
                .contains(order.toString(), "The reason: out of stock: mug\n", "You have not been charged.");
    }

    @Test
    void a_cancellation_says_why_and_where_the_money_is() {
        var message = Message.cancelled(new OrderCancelled(order, customer, "cancelled by the customer", NOW));

        assertThat(message.kind()).isEqualTo(Kind.CANCELLED);
        assertThat(message.customerId()).isEqualTo(customer);
        assertThat(message.subject()).isEqualTo("Your order " + order + " is cancelled");
        assertThat(message.body())
                .contains(order.toString(), "The reason: cancelled by the customer\n", "on its way back to you");
    }

    @Test
    void a_reason_cannot_inject_a_header_or_a_format() {
        var message = Message.rejected(new OrderRejected(order, customer, "%s\r\nBcc: everybody@example.com", NOW));

        assertThat(message.subject()).doesNotContain("\r", "\n", "Bcc");
        assertThat(message.body()).contains("%s\r\nBcc: everybody@example.com");
    }

    @Test
    void copies_of_a_message_share_an_id_that_no_other_message_has() {
        var rejected = Message.rejected(new OrderRejected(order, customer, "balance too low", NOW));
        var copy = Message.rejected(new OrderRejected(order, customer, "balance too low", NOW.plusSeconds(1)));
        var cancelled = Message.cancelled(new OrderCancelled(order, customer, "balance too low", NOW));

        assertThat(rejected.id()).isEqualTo(order + ".rejected").isEqualTo(copy.id());
        assertThat(cancelled.id()).isEqualTo(order + ".cancelled");
    }
}
