package dev.orderly.events;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.NullSource;
import org.junit.jupiter.params.provider.ValueSource;

class CardTokenTest {

    @ParameterizedTest
    @ValueSource(
            strings = {"tok_ok", "tok_slow_30s", "tok_1Nv0FGQ9RKHgCVdK", "tok_4242424242424241", "tok_424242424242"})
    void a_token_of_the_gateway_is_accepted_and_not_printed(String value) {
        var token = new CardToken(value);

        assertThat(token.value()).isEqualTo(value);
        assertThat(token).hasToString("tok_…");
    }

    @ParameterizedTest
    @NullSource
    @ValueSource(
            strings = {
                "",
                "tok_",
                "TOK_ok",
                "tok_a b",
                "tok_ok\n",
                "tok_\u0661",
                "tok_ok'; DROP TABLE payment",
                "tok_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
                "4242424242424242",
                "4242 4242 4242 4242",
                "tok_4242424242424242",
                "tok_4242_4242_4242_4242",
                "tok_4242424242424242_1230",
                "tok_378282246310005",
                "tok_visa_4222222222222",
                "tok_6304000000000000000_x",
            })
    void anything_else_is_rejected_and_not_repeated_above_all_a_card_number(String value) {
        assertThatThrownBy(() -> new CardToken(value))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(CardToken.MESSAGE);
    }
}
