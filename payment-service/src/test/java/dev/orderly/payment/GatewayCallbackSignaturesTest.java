package dev.orderly.payment;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class GatewayCallbackSignaturesTest {

    private static final long NOW = 1_795_428_930L;
    private static final String OLD = "the secret of this year, 32 bytes";
    private static final String NEW = "the secret of next year, 32 bytes";
    private static final byte[] BODY = "{\"id\":\"evt_1\", \"amount\":3998}".getBytes(UTF_8);

    private final GatewayCallbackSignatures signatures = signatures(OLD, NEW);

    private static GatewayCallbackSignatures signatures(String... secrets) {
        return new GatewayCallbackSignatures(
                Clock.fixed(Instant.ofEpochSecond(NOW), ZoneOffset.UTC), Optional.of(List.of(secrets)));
    }

    static String digest(String secret, Object seconds, byte[] body) {
        try {
            var mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(secret.getBytes(UTF_8), "HmacSHA256"));
            mac.update((seconds + ".").getBytes(UTF_8));
            return HexFormat.of().formatHex(mac.doFinal(body));
        } catch (java.security.GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    static String header(String secret, Object seconds, byte[] body) {
        return "t=" + seconds + ",v1=" + digest(secret, seconds, body);
    }

    @Test
    void a_signature_by_either_of_the_two_secrets_is_valid() {
        assertThat(signatures.isValid(header(OLD, NOW, BODY), BODY)).isTrue();
        assertThat(signatures.isValid(header(NEW, NOW, BODY), BODY)).isTrue();
    }

    @Test
    void a_signature_by_a_replaced_or_a_foreign_secret_is_not() {
        assertThat(signatures(NEW).isValid(header(OLD, NOW, BODY), BODY)).isFalse();
        assertThat(signatures.isValid(header("x".repeat(32), NOW, BODY), BODY)).isFalse();
    }

    @Test
    void the_digest_is_the_one_that_openssl_computes() {
        // printf '%s' '1795428930.{"id":"evt_1", "amount":3998}' \
        //     | openssl dgst -sha256 -hmac 'the secret of this year, 32 bytes'
        assertThat(signatures.isValid(
                        "t=1795428930,v1=7cab84106b91aa6b32035bc53b209556c6962b134398656df541869168889cca", BODY))
                .isTrue();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "t=",
                "v1=",
                "t=1795428930",
                "t=1795428930,v1=",
                "t=1795428930;v1=DIGEST",
                "v1=DIGEST",
                "t=now,v1=DIGEST",
                "t=-1795428930,v1=DIGEST",
                "t= 1795428930,v1=DIGEST",
                "t=1795428930.0,v1=DIGEST",
                "t=99999999999999999999,v1=DIGEST",
                "t=1795428929,v1=DIGEST",
                "t=1795428930,t=1795428930,v1=DIGEST",
                "t=1795428930,v0=DIGEST",
                "t=1795428930,v1=0DIGEST",
                "t=1795428930,v1=DIGEST0",
                "T=1795428930,V1=DIGEST",
            })
    void a_malformed_header_is_invalid(String header) {
        assertThat(signatures.isValid(header.replace("DIGEST", digest(OLD, NOW, BODY)), BODY))
                .isFalse();
    }

    @Test
    void other_encodings_of_the_digest_are_invalid() {
        var digest = digest(OLD, NOW, BODY);
        var base64 = Base64.getEncoder().encodeToString(HexFormat.of().parseHex(digest));

        assertThat(signatures.isValid("t=" + NOW + ",v1=" + digest.toUpperCase(Locale.ROOT), BODY))
                .isFalse();
        assertThat(signatures.isValid("t=" + NOW + ",v1=" + base64, BODY)).isFalse();
    }

    @Test
    void a_signature_is_over_every_byte_of_the_body() {
        var header = header(OLD, NOW, BODY);

        for (var other : List.of(
                "{\"id\":\"evt_1\",\"amount\":3998}",
                "{\"id\":\"evt_1\", \"amount\":3999}",
                "{\"id\":\"\\u0065vt_1\", \"amount\":3998}",
                "")) {
            assertThat(signatures.isValid(header, other.getBytes(UTF_8))).isFalse();
        }
        var flipped = BODY.clone();
        flipped[5] ^= 1;
        assertThat(signatures.isValid(header, flipped)).isFalse();
    }

    @Test
    void of_several_digests_one_is_enough() {
        var wrong = digest("x".repeat(32), NOW, BODY);
        var right = digest(NEW, NOW, BODY);

        assertThat(signatures.isValid("t=%d,v1=%s,v1=%s,v0=%s".formatted(NOW, wrong, right, wrong), BODY))
                .isTrue();
        assertThat(signatures.isValid("t=%d,v1=%s,v1=%s".formatted(NOW, wrong, wrong), BODY))
                .isFalse();
    }

    @ParameterizedTest
    @ValueSource(longs = {-300, -299, 0, 299, 300})
    void clocks_may_differ_by_five_minutes(long seconds) {
        assertThat(signatures.isValid(header(OLD, NOW + seconds, BODY), BODY)).isTrue();
    }

    @ParameterizedTest
    @ValueSource(longs = {-1_795_428_930L, -3600, -301, 301, 3600})
    void but_not_by_more(long seconds) {
        assertThat(signatures.isValid(header(OLD, NOW + seconds, BODY), BODY)).isFalse();
    }

    @Test
    void an_oversized_header_is_not_parsed() {
        var header = header(OLD, NOW, BODY) + ",v1=" + "0".repeat(1_000_000);

        assertThat(signatures.isValid(header, BODY)).isFalse();
    }

    @Test
    void without_a_secret_nothing_is_valid() {
        var none = new GatewayCallbackSignatures(Clock.systemUTC(), Optional.empty());

        assertThat(none.isValid(header(OLD, Instant.now().getEpochSecond(), BODY), BODY))
                .isFalse();
    }

    @Test
    void secrets_that_are_short_or_too_many_are_rejected_and_not_printed() {
        assertThatThrownBy(() -> signatures("short"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("32 bytes")
                .hasMessageNotContaining("short");
        assertThatThrownBy(() -> signatures(OLD, NEW, "a third secret, which is one too many"))
                .isInstanceOf(IllegalArgumentException.class);
    }
}
