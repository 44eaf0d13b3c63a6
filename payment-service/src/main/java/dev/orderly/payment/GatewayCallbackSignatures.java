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
 * Tells the gateway's callbacks from everybody else's: {@code t=<seconds>,v1=<hex>}, where v1 is the HMAC-SHA256 of {@code
 * <seconds>.<body>} under a secret that only the gateway and we have, and the seconds are those of the sending. Two secrets
 * may be in use at a time, so that one can be replaced while callbacks come.
 */
@ApplicationScoped
class GatewayCallbackSignatures {

    /** Between the gateway's clock and ours, either way: what is older may be somebody's recording. */
    static final Duration TOLERANCE = Duration.ofSeconds(300);

    static final int MAX_SECRETS = 2;
    /** As many bytes as the digest has. */
    static final int MIN_SECRET = 32;

    private static final int MAX_HEADER = 1024;
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
                || this.secrets.stream().anyMatch(secret -> secret.getEncoded().length < MIN_SECRET)) {
            throw new IllegalArgumentException("orderly.gateway.callback-secrets: at most " + MAX_SECRETS
                    + " secrets, each of at least " + MIN_SECRET + " bytes");
        }
    }

    /** Whether the gateway has signed this body lately; none is valid while there is no secret. */
    boolean isValid(String header, byte[] body) {
        if (header.length() > MAX_HEADER) {
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
            // Anything else is a scheme of another time, and proves nothing.
        }
        return seconds != null
                && SECONDS.matcher(seconds).matches()
                && isRecent(Long.parseLong(seconds))
                && isAnyOf(digests, seconds, body);
    }

    private boolean isRecent(long seconds) {
        return Math.abs(clock.instant().getEpochSecond() - seconds) <= TOLERANCE.toSeconds();
    }

    /** In a time that depends on how many there are to compare, and not on what is in them. */
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
            throw new IllegalStateException("every Java has " + ALGORITHM, e);
        }
    }
}
