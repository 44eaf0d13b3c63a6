package dev.orderly.payment;

import static dev.orderly.payment.Payment.Status.CAPTURED;
import static dev.orderly.payment.Payment.Status.DECLINED;
import static dev.orderly.payment.Payment.Status.REFUNDED;
import static dev.orderly.payment.Payment.Status.REFUNDING;
import static dev.orderly.payment.Payment.Status.REQUESTED;
import static dev.orderly.payment.Payment.Status.VOID;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.orderly.events.CardToken;
import dev.orderly.events.Money;
import dev.orderly.events.OrderEvent.PaymentCaptured;
import dev.orderly.events.OrderEvent.PaymentDeclined;
import dev.orderly.events.OrderEvent.PaymentRefunded;
import dev.orderly.payment.Payment.Change;
import dev.orderly.payment.Payment.GatewayOutcome;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

class PaymentTest {

    private static final UUID ORDER = UUID.randomUUID();
    private static final UUID CUSTOMER = UUID.randomUUID();
    private static final Instant NOW = Instant.parse("2026-11-23T10:15:30Z");
    private static final Instant LATER = NOW.plusSeconds(60);
    private static final Money TOTAL = Money.of(3998, "EUR");
    private static final CardToken CARD = new CardToken("tok_sesame");

    private static Payment expected() {
        return Payment.expected(ORDER, CUSTOMER);
    }

    private static Payment after(Optional<Change> change) {
        return change.orElseThrow().payment();
    }

    private static Payment captured() {
        return after(expected().payFromBalance(TOTAL, Optional.of(TOTAL), NOW));
    }

    private static Payment declined() {
        return after(expected().payFromBalance(TOTAL, Optional.empty(), NOW));
    }

    private static Payment voided() {
        return after(expected().cancel("changed my mind", NOW));
    }

    private static Payment refunded() {
        return after(captured().cancel("changed my mind", LATER));
    }

    private static Payment requested() {
        return after(expected().requestCapture(TOTAL, CARD, NOW));
    }

    private static Payment capturedByCard() {
        return after(requested().on(GatewayOutcome.CAPTURED, "", NOW));
    }

    private static Payment declinedByCard() {
        return after(requested().on(GatewayOutcome.DECLINED, "card declined", NOW));
    }

    private static Payment cancelling() {
        return after(requested().cancel("changed my mind", NOW));
    }

    private static Payment voidedByCard() {
        return after(cancelling().on(GatewayOutcome.DECLINED, "card declined", NOW));
    }

    private static Payment refunding() {
        return after(capturedByCard().cancel("changed my mind", NOW));
    }

    private static Payment refundedByCard() {
        return after(refunding().on(GatewayOutcome.REFUNDED, "", NOW));
    }

    static Stream<Payment> settled() {
        return Stream.of(
                captured(), declined(), voided(), refunded(), requested(), capturedByCard(), cancelling(), refunding());
    }

    static Stream<Payment> uncaptured() {
        return Stream.of(declined(), voided(), refunded());
    }

    @Test
    void a_due_payment_is_captured_when_the_balance_suffices_to_the_cent() {
        var payment = captured();

        assertThat(payment).isEqualTo(new Payment(ORDER, CUSTOMER, CAPTURED, TOTAL, false, null, null, NOW, 1));
    }

    @Test
    void a_due_payment_is_declined_when_the_balance_is_a_cent_short() {
        var payment = after(expected().payFromBalance(TOTAL, Optional.of(Money.of(3997, "EUR")), NOW));

        assertThat(payment)
                .isEqualTo(new Payment(ORDER, CUSTOMER, DECLINED, TOTAL, false, null, "insufficient balance", NOW, 1));
    }

    @Test
    void a_due_payment_is_declined_without_an_account_in_its_currency() {
        assertThat(declined())
                .isEqualTo(new Payment(ORDER, CUSTOMER, DECLINED, TOTAL, false, null, "no account in EUR", NOW, 1));
    }

    @Test
    void a_total_of_zero_needs_no_account() {
        var payment = after(expected().payFromBalance(Money.of(0, "EUR"), Optional.empty(), NOW));

        assertThat(payment.status()).isEqualTo(CAPTURED);
    }

    @ParameterizedTest
    @MethodSource("settled")
    void a_payment_that_has_begun_is_never_paid_again(Payment payment) {
        assertThat(payment.payFromBalance(TOTAL, Optional.of(TOTAL), LATER)).isEmpty();
        assertThat(payment.payFromBalance(TOTAL, Optional.empty(), LATER)).isEmpty();
        assertThat(payment.requestCapture(TOTAL, CARD, LATER)).isEmpty();
    }

    @Test
    void a_cancellation_that_comes_first_voids_the_payment() {
        assertThat(voided())
                .isEqualTo(new Payment(ORDER, CUSTOMER, VOID, null, false, null, "changed my mind", NOW, 0));
    }

    @Test
    void a_cancellation_refunds_what_was_captured() {
        assertThat(refunded())
                .isEqualTo(new Payment(ORDER, CUSTOMER, REFUNDED, TOTAL, false, null, "changed my mind", LATER, 2));
    }

    @ParameterizedTest
    @MethodSource("uncaptured")
    void a_cancellation_changes_nothing_where_nothing_is_captured(Payment payment) {
        assertThat(payment.cancel("changed my mind again", LATER)).isEmpty();
    }

    @Test
    void the_outcome_of_a_due_payment_is_its_first_event() {
        assertThat(expected()
                        .payFromBalance(TOTAL, Optional.of(TOTAL), NOW)
                        .orElseThrow()
                        .event())
                .contains(new PaymentCaptured(ORDER, TOTAL, NOW));
        assertThat(captured().version()).isEqualTo(1);

        assertThat(expected()
                        .payFromBalance(TOTAL, Optional.empty(), NOW)
                        .orElseThrow()
                        .event())
                .contains(new PaymentDeclined(ORDER, "no account in EUR", NOW));
        assertThat(declined().version()).isEqualTo(1);
    }

    @Test
    void a_refund_is_the_second_event() {
        assertThat(captured().cancel("changed my mind", LATER).orElseThrow().event())
                .contains(new PaymentRefunded(ORDER, TOTAL, LATER));
        assertThat(refunded().version()).isEqualTo(2);
    }

    @Test
    void a_void_payment_publishes_no_event() {
        assertThat(expected().cancel("changed my mind", NOW).orElseThrow().event())
                .isEmpty();
        assertThat(cancelling()
                        .on(GatewayOutcome.DECLINED, "card declined", NOW)
                        .orElseThrow()
                        .event())
                .isEmpty();
    }

    @Test
    void a_payment_by_card_waits_for_the_gateway_and_publishes_no_event() {
        var change = expected().requestCapture(TOTAL, CARD, NOW).orElseThrow();

        assertThat(change.payment())
                .isEqualTo(new Payment(ORDER, CUSTOMER, REQUESTED, TOTAL, true, CARD, null, NOW, 0));
        assertThat(change.event()).isEmpty();
        assertThat(change.payment().status().isOpen()).isTrue();
    }

    @Test
    void the_gateway_captures_or_declines_it() {
        var captured = requested().on(GatewayOutcome.CAPTURED, "", LATER).orElseThrow();
        assertThat(captured.payment())
                .isEqualTo(new Payment(ORDER, CUSTOMER, CAPTURED, TOTAL, true, CARD, null, LATER, 1));
        assertThat(captured.event()).contains(new PaymentCaptured(ORDER, TOTAL, LATER));

        var declined =
                requested().on(GatewayOutcome.DECLINED, "card declined", LATER).orElseThrow();
        assertThat(declined.payment())
                .isEqualTo(new Payment(ORDER, CUSTOMER, DECLINED, TOTAL, true, CARD, "card declined", LATER, 1));
        assertThat(declined.event()).contains(new PaymentDeclined(ORDER, "card declined", LATER));
    }

    @Test
    void a_card_that_cannot_be_charged_for_the_order_declines_it_and_the_gateway_is_not_called() {
        var change = expected().refuseCard(TOTAL, Card.UNKNOWN, NOW).orElseThrow();

        assertThat(change.payment())
                .isEqualTo(new Payment(ORDER, CUSTOMER, DECLINED, TOTAL, true, null, Card.UNKNOWN, NOW, 1));
        assertThat(change.event()).contains(new PaymentDeclined(ORDER, Card.UNKNOWN, NOW));
        assertThat(voided().refuseCard(TOTAL, Card.UNKNOWN, LATER)).isEmpty();
    }

    @Test
    void a_card_is_for_one_order_of_the_customer_who_left_it_until_it_expires() {
        var card = new Card(UUID.randomUUID(), CUSTOMER, CARD, false);

        assertThat(card.refusal(CUSTOMER)).isEmpty();
        assertThat(card.refusal(UUID.randomUUID())).contains(Card.UNKNOWN);
        assertThat(card.claimed().refusal(CUSTOMER)).contains("the card was left for another order");
        assertThat(card.claimed().refusal(UUID.randomUUID()))
                .as("says nothing of the cards of others")
                .contains(Card.UNKNOWN);
        assertThat(new Card(card.id(), CUSTOMER, CARD, true).refusal(CUSTOMER))
                .contains("the card was left too long ago");
    }

    @Test
    void a_captured_card_is_refunded_when_the_gateway_reports_it() {
        var refunding = capturedByCard().cancel("changed my mind", NOW).orElseThrow();
        assertThat(refunding.payment().status()).isEqualTo(REFUNDING);
        assertThat(refunding.event()).isEmpty();

        var refunded =
                refunding.payment().on(GatewayOutcome.REFUNDED, "", LATER).orElseThrow();
        assertThat(refunded.payment())
                .isEqualTo(new Payment(ORDER, CUSTOMER, REFUNDED, TOTAL, true, CARD, "changed my mind", LATER, 2));
        assertThat(refunded.event()).contains(new PaymentRefunded(ORDER, TOTAL, LATER));
    }

    @Test
    void a_capture_after_the_cancellation_is_published_and_refunded() {
        var late = cancelling().on(GatewayOutcome.CAPTURED, "", LATER).orElseThrow();

        assertThat(late.payment())
                .isEqualTo(new Payment(ORDER, CUSTOMER, REFUNDING, TOTAL, true, CARD, "changed my mind", LATER, 1));
        assertThat(late.event()).contains(new PaymentCaptured(ORDER, TOTAL, LATER));
    }

    @Test
    void a_decline_after_the_cancellation_voids_the_payment() {
        assertThat(voidedByCard())
                .isEqualTo(new Payment(ORDER, CUSTOMER, VOID, TOTAL, true, CARD, "changed my mind", NOW, 0));
    }

    @Test
    void a_capture_after_a_decline_or_a_void_is_refunded() {
        var late = declinedByCard().on(GatewayOutcome.CAPTURED, "", LATER).orElseThrow();

        assertThat(late.payment().status()).isEqualTo(REFUNDING);
        assertThat(late.payment().version()).isEqualTo(2);
        assertThat(late.event()).contains(new PaymentCaptured(ORDER, TOTAL, LATER));
        assertThat(voidedByCard()
                        .on(GatewayOutcome.CAPTURED, "", LATER)
                        .orElseThrow()
                        .payment()
                        .status())
                .isEqualTo(REFUNDING);
        assertThat(declinedByCard().isContradictedBy(GatewayOutcome.CAPTURED)).isTrue();
    }

    static Stream<Payment> captures() {
        return Stream.of(capturedByCard(), refunding(), refundedByCard());
    }

    @ParameterizedTest
    @MethodSource("captures")
    void a_capture_is_final_whatever_else_the_gateway_reports(Payment payment) {
        assertThat(payment.on(GatewayOutcome.CAPTURED, "", LATER)).isEmpty();
        assertThat(payment.on(GatewayOutcome.DECLINED, "card declined", LATER)).isEmpty();
        assertThat(payment.isContradictedBy(GatewayOutcome.CAPTURED)).isFalse();
        assertThat(payment.isContradictedBy(GatewayOutcome.DECLINED)).isTrue();
    }

    static Stream<Payment> notRefunding() {
        return Stream.of(requested(), capturedByCard(), declinedByCard(), cancelling(), voidedByCard());
    }

    @ParameterizedTest
    @MethodSource("notRefunding")
    void a_refund_that_was_not_requested_changes_nothing_and_is_a_contradiction(Payment payment) {
        assertThat(payment.on(GatewayOutcome.REFUNDED, "", LATER)).isEmpty();
        assertThat(payment.isContradictedBy(GatewayOutcome.REFUNDED)).isTrue();
    }

    @ParameterizedTest
    @EnumSource(GatewayOutcome.class)
    void a_repeated_outcome_changes_nothing(GatewayOutcome outcome) {
        for (var payment : List.of(capturedByCard(), refundedByCard())) {
            assertThat(payment.on(outcome, "", LATER)).isEmpty();
        }
        for (var payment : List.of(declinedByCard(), voidedByCard())) {
            assertThat(payment.on(GatewayOutcome.DECLINED, "again", LATER)).isEmpty();
        }
    }

    @ParameterizedTest
    @MethodSource("cancelledCards")
    void a_payment_by_card_is_cancelled_once(Payment payment) {
        assertThat(payment.cancel("changed my mind again", LATER)).isEmpty();
    }

    static Stream<Payment> cancelledCards() {
        return Stream.of(cancelling(), declinedByCard(), voidedByCard(), refunding(), refundedByCard());
    }

    @Test
    void a_capture_moves_money_from_the_customer_to_the_merchant() {
        var transfer = Transfer.of(
                        expected()
                                .payFromBalance(TOTAL, Optional.of(TOTAL), NOW)
                                .orElseThrow(),
                        Money.of(5000, "EUR"))
                .orElseThrow();

        assertThat(transfer.from()).isEqualTo("customer:" + CUSTOMER);
        assertThat(transfer.to()).isEqualTo("merchant");
        assertThat(transfer.change()).isEqualTo(-3998);
        assertThat(transfer.balance()).contains(Money.of(1002, "EUR"));
    }

    @Test
    void a_refund_moves_the_same_money_back() {
        var transfer = Transfer.of(captured().cancel("changed my mind", LATER).orElseThrow(), Money.of(1002, "EUR"))
                .orElseThrow();

        assertThat(transfer.from()).isEqualTo("merchant");
        assertThat(transfer.to()).isEqualTo("customer:" + CUSTOMER);
        assertThat(transfer.change()).isEqualTo(3998);
        assertThat(transfer.balance()).contains(Money.of(5000, "EUR"));
    }

    @Test
    void by_card_the_gateway_is_the_payer_and_no_balance_changes() {
        var captured = Transfer.of(
                        requested().on(GatewayOutcome.CAPTURED, "", NOW).orElseThrow(), null)
                .orElseThrow();
        assertThat(List.of(captured.from(), captured.to())).containsExactly("gateway", "merchant");

        var refunded = Transfer.of(
                        refunding().on(GatewayOutcome.REFUNDED, "", NOW).orElseThrow(), null)
                .orElseThrow();
        assertThat(List.of(refunded.from(), refunded.to())).containsExactly("merchant", "gateway");
        assertThat(refunded.wallet()).isEmpty();
        assertThat(refunded.balance()).isEmpty();
    }

    @Test
    void no_money_moves_before_the_gateway_reports_it() {
        assertThat(Transfer.of(expected().requestCapture(TOTAL, CARD, NOW).orElseThrow(), null))
                .isEmpty();
        assertThat(Transfer.of(capturedByCard().cancel("changed my mind", NOW).orElseThrow(), null))
                .isEmpty();
    }

    @Test
    void no_transfer_makes_a_balance_negative() {
        var change = expected().payFromBalance(TOTAL, Optional.of(TOTAL), NOW).orElseThrow();

        assertThatThrownBy(() -> Transfer.of(change, Money.of(3997, "EUR")))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void a_payment_is_printed_without_its_token() {
        assertThat(requested().toString()).doesNotContain(CARD.value());
    }
}
