package dev.orderly.payment;

import static java.nio.charset.StandardCharsets.UTF_8;

import jakarta.enterprise.context.ApplicationScoped;
import java.security.InvalidKeyException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.eclipse.microprofile.config.inject.ConfigProperty;

/**
 * Verifies the gateway's signatures: {@code t=<seconds>,v1=<hex>}, where v1 is the HMAC-SHA256 of {@code
 * <seconds>.<body>} under a shared secret, and the seconds are the time of sending. Two secrets may be valid
 * at a time, so that secrets can be rotated while callbacks arrive.
 */
@ApplicationScoped
class GatewayCallbackSignatures {

    /** Between the gateway's clock and ours, either way: an older callback may be a replay. */
    static final Duration TOLERANCE = Duration.ofSeconds(300);

    static final int MAX_SECRETS = 2;

    /** As many as the digest has. */
    static final int MIN_SECRET_BYTES = 32;

    private static final int MAX_HEADER_LENGTH = 1024;
    private static final String ALGORITHM = "HmacSHA256";
    private static final Pattern SECONDS = Pattern.compile("\\d{1,11}");
    private static final Pattern DIGEST = Pattern.compile("[0-9a-f]{64}");

    private final Clock clock;
    private final List<SecretKeySpec> secrets;

    /** @throws IllegalArgumentException when there are too many secrets, or one is too short */
    GatewayCallbackSignatures(
            Clock clock, @ConfigProperty(name = "orderly.gateway.callback-secrets") Optional<List<String>> secrets) {
        this.clock = clock;
        this.secrets = secrets.orElse(List.of()).stream()
                .map(secret -> secret.getBytes(UTF_8))
                .map(secret -> new SecretKeySpec(secret, ALGORITHM))
                .toList();
        if (this.secrets.size() > MAX_SECRETS
                || this.secrets.stream().anyMatch(secret -> secret.getEncoded().length < MIN_SECRET_BYTES)) {
            throw new IllegalArgumentException("orderly.gateway.callback-secrets: at most " + MAX_SECRETS
                    + " secrets, each of at least " + MIN_SECRET_BYTES + " bytes");
        }
    }

    /** Whether the gateway signed this body recently; without a secret no signature is valid. */
    boolean isValid(String header, byte[] body) {
        if (header.length() > MAX_HEADER_LENGTH) {
            return false;
        }
        String seconds = null;
        var digests = new ArrayList<byte[]>();
        for (var element : header.split(",", -1)) {
            if (element.startsWith("t=")) {
                if (seconds != null) {
                    return false;
                }
                seconds = element.substring(2);
            } else if (element.startsWith("v1=")
                    && DIGEST.matcher(element.substring(3)).matches()) {
                digests.add(HexFormat.of().parseHex(element.substring(3)));
            }
            // Any other element is a scheme that this version does not know.
        }
        return seconds != null
                && SECONDS.matcher(seconds).matches()
                && isRecent(Long.parseLong(seconds))
                && isAnyOf(digests, seconds, body);
    }

    private boolean isRecent(long seconds) {
        return Math.abs(clock.instant().getEpochSecond() - seconds) <= TOLERANCE.toSeconds();
    }

    /** In constant time: it depends on how many digests there are, not on how close a guess is. */
    private boolean isAnyOf(List<byte[]> digests, String seconds, byte[] body) {
        var valid = false;
        for (var secret : secrets) {
            var expected = digest(secret, seconds, body);
            for (var digest : digests) {
                valid |= MessageDigest.isEqual(expected, digest);
            }
        }
        return valid;
    }

    private static byte[] digest(SecretKeySpec secret, String seconds, byte[] body) {
        try {
            var mac = Mac.getInstance(ALGORITHM);
            mac.init(secret);
            mac.update(seconds.getBytes(UTF_8));
            mac.update((byte) '.');
            return mac.doFinal(body);
        } catch (NoSuchAlgorithmException | InvalidKeyException e) {
            throw new IllegalStateException("every JDK has " + ALGORITHM, e);
        }
    }
}
