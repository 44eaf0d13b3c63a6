package dev.orderly.events;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class VerificationCodesTest {

    private static final String FORMER = "the former key of thirty-two characters";
    private static final String NEW = "the new key, as long as the former one is";

    private final UUID customer = UUID.randomUUID();
    private final UUID verification = UUID.randomUUID();

    @Test
    void while_the_key_is_replaced_codes_by_either_are_right_and_sent_is_that_by_the_new_one() {
        var both = new VerificationCodes(List.of(NEW, FORMER));
        var byNew = new VerificationCodes(List.of(NEW)).of(customer, verification);
        var byFormer = new VerificationCodes(List.of(FORMER)).of(customer, verification);

        assertThat(both.of(customer, verification)).isEqualTo(byNew);
        assertThat(both.isRight(customer, verification, byNew)).isTrue();
        assertThat(both.isRight(customer, verification, byFormer)).isTrue();
        assertThat(both.isRight(UUID.randomUUID(), verification, byNew)).isFalse();
    }

    @Test
    void then_a_code_by_the_former_key_is_wrong() {
        var codes = new VerificationCodes(List.of(NEW));

        assertThat(codes.isRight(customer, verification, codes.of(customer, verification)))
                .isTrue();
        assertThat(codes.isRight(customer, verification, byOther(codes))).isFalse();
    }

    /** Two keys have the same code once in a million times. */
    private String byOther(VerificationCodes codes) {
        return List.of(FORMER, FORMER + FORMER).stream()
                .map(key -> new VerificationCodes(List.of(key)).of(customer, verification))
                .filter(code -> !code.equals(codes.of(customer, verification)))
                .findFirst()
                .orElseThrow();
    }

    @Test
    void a_key_that_could_be_guessed_is_refused_and_a_third() {
        for (var keys :
                List.of(List.of("short"), List.of(NEW, "short"), List.of(NEW, FORMER, NEW), List.<String>of())) {
            assertThatThrownBy(() -> new VerificationCodes(keys))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("VERIFICATION_KEY");
        }
    }
}
