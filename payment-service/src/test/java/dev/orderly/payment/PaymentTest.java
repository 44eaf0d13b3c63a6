package dev.orderly.payment;

import static dev.orderly.payment.Payment.Status.CAPTURED;
import static dev.orderly.payment.Payment.Status.DECLINED;
import static dev.orderly.payment.Payment.Status.REFUNDED;
import static dev.orderly.payment.Payment.Status.VOID;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.orderly.events.Money;
import dev.orderly.events.OrderEvent.PaymentCaptured;
import dev.orderly.events.OrderEvent.PaymentDeclined;
import dev.orderly.events.OrderEvent.PaymentRefunded;
import java.time.Instant;
import java.util.Optional;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class PaymentTest {

    private static final UUID ORDER = UUID.randomUUID();
    private static final UUID CUSTOMER = UUID.randomUUID();
    private static final Instant NOW = Instant.parse("2026-11-23T10:15:30Z");
    private static final Instant LATER = NOW.plusSeconds(60);
    private static final Money TOTAL = Money.of(3998, "EUR");

    private static Payment expected() {
        return Payment.expected(ORDER, CUSTOMER);
    }

    private static Payment captured() {
        return expected().due(TOTAL, Optional.of(TOTAL), NOW).orElseThrow();
    }

    private static Payment declined() {
        return expected().due(TOTAL, Optional.empty(), NOW).orElseThrow();
    }

    private static Payment voided() {
        return expected().cancelled("changed my mind", NOW).orElseThrow();
    }

    private static Payment refunded() {
        return captured().cancelled("changed my mind", LATER).orElseThrow();
    }

    static Stream<Payment> settled() {
        return Stream.of(captured(), declined(), voided(), refunded());
    }

    static Stream<Payment> uncaptured() {
        return Stream.of(declined(), voided(), refunded());
    }

    @Test
    void a_due_payment_is_captured_when_the_balance_suffices_to_the_cent() {
        var payment = expected().due(TOTAL, Optional.of(TOTAL), NOW);

        assertThat(payment).contains(new Payment(ORDER, CUSTOMER, CAPTURED, TOTAL, null, NOW));
    }

    @Test
    void a_due_payment_is_declined_when_the_balance_is_a_cent_short() {
        var payment = expected().due(TOTAL, Optional.of(Money.of(3997, "EUR")), NOW);

        assertThat(payment).contains(new Payment(ORDER, CUSTOMER, DECLINED, TOTAL, "insufficient balance", NOW));
    }

    @Test
    void a_due_payment_is_declined_without_an_account_in_its_currency() {
        var payment = expected().due(TOTAL, Optional.empty(), NOW);

        assertThat(payment).contains(new Payment(ORDER, CUSTOMER, DECLINED, TOTAL, "no account in EUR", NOW));
    }

    @Test
    void what_costs_nothing_needs_no_account() {
        var payment = expected().due(Money.of(0, "EUR"), Optional.empty(), NOW).orElseThrow();

        assertThat(payment.status()).isEqualTo(CAPTURED);
    }

    @ParameterizedTest
    @MethodSource("settled")
    void a_payment_that_is_settled_never_falls_due_again(Payment payment) {
        assertThat(payment.due(TOTAL, Optional.of(TOTAL), LATER)).isEmpty();
        assertThat(payment.due(TOTAL, Optional.empty(), LATER)).isEmpty();
    }

    @Test
    void a_cancellation_that_comes_first_voids_the_payment() {
        var payment = expected().cancelled("changed my mind", NOW);

        assertThat(payment).contains(new Payment(ORDER, CUSTOMER, VOID, null, "changed my mind", NOW));
    }

    @Test
    void a_cancellation_refunds_what_was_captured() {
        var payment = captured().cancelled("changed my mind", LATER);

        assertThat(payment).contains(new Payment(ORDER, CUSTOMER, REFUNDED, TOTAL, "changed my mind", LATER));
    }

    @ParameterizedTest
    @MethodSource("uncaptured")
    void a_cancellation_changes_nothing_where_nothing_is_captured(Payment payment) {
        assertThat(payment.cancelled("changed my mind again", LATER)).isEmpty();
    }

    @Test
    void the_outcome_of_a_due_payment_is_its_first_event() {
        assertThat(captured().event()).contains(new PaymentCaptured(ORDER, TOTAL, NOW));
        assertThat(captured().version()).isEqualTo(1);

        assertThat(declined().event()).contains(new PaymentDeclined(ORDER, "no account in EUR", NOW));
        assertThat(declined().version()).isEqualTo(1);
    }

    @Test
    void a_refund_is_the_second_event() {
        assertThat(refunded().event()).contains(new PaymentRefunded(ORDER, TOTAL, LATER));
        assertThat(refunded().version()).isEqualTo(2);
    }

    @Test
    void nobody_is_told_of_a_payment_that_is_void_or_not_yet_due() {
        assertThat(voided().event()).isEmpty();
        assertThat(expected().event()).isEmpty();
    }

    @Test
    void a_capture_moves_money_from_the_customer_to_the_merchant() {
        var transfer = Transfer.capture(captured(), Money.of(5000, "EUR"));

        assertThat(transfer.from()).isEqualTo("customer:" + CUSTOMER);
        assertThat(transfer.to()).isEqualTo("merchant");
        assertThat(transfer.change()).isEqualTo(-3998);
        assertThat(transfer.balance()).isEqualTo(Money.of(1002, "EUR"));
    }

    @Test
    void a_refund_moves_the_same_money_back() {
        var transfer = Transfer.refund(refunded(), Money.of(1002, "EUR"));

        assertThat(transfer.from()).isEqualTo("merchant");
        assertThat(transfer.to()).isEqualTo("customer:" + CUSTOMER);
        assertThat(transfer.change()).isEqualTo(3998);
        assertThat(transfer.balance()).isEqualTo(Money.of(5000, "EUR"));
    }

    @Test
    void no_transfer_leaves_a_customer_with_less_than_nothing() {
        assertThatThrownBy(() -> Transfer.capture(captured(), Money.of(3997, "EUR")))
                .isInstanceOf(IllegalArgumentException.class);
    }
}
