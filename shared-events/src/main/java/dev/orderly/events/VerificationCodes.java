package dev.orderly.events;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.nio.ByteBuffer;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.List;
import java.util.Locale;
import java.util.UUID;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * The codes by which customers prove that a phone is theirs. A code is derived from a secret key and from the
 * event that requests it. So the service that sends it and the service that checks it agree without
 * exchanging it: it is in no event, and in no table in plain text, and a reader of topics and tables who does
 * not have the key learns nothing of it.
 *
 * <p>It stands beside the events because it is part of their contract: the derivation gives a
 * {@link CustomerEvent.Verification} its meaning.
 */
public final class VerificationCodes {

    /** The form of a code. */
    public static final String PATTERN = "[0-9]{6}";

    private static final int CODES = 1_000_000;
    private static final int MIN_KEY_LENGTH = 32;
    private static final int MAX_KEYS = 2;
    private static final String ALGORITHM = "HmacSHA256";

    private final List<SecretKeySpec> keys;

    /**
     * @param keys the same secrets in both services, of at least {@value #MIN_KEY_LENGTH} characters: one, or
     *     while it is replaced the new one and the former
     */
    public VerificationCodes(List<String> keys) {
        if (keys.isEmpty() || keys.size() > MAX_KEYS || keys.stream().anyMatch(key -> key.length() < MIN_KEY_LENGTH)) {
            throw new IllegalArgumentException(
                    "VERIFICATION_KEY: one key, or two separated by a comma, each of at least " + MIN_KEY_LENGTH
                            + " characters");
        }
        this.keys = keys.stream()
                .map(key -> new SecretKeySpec(key.getBytes(UTF_8), ALGORITHM))
                .toList();
    }

    /** By the first key. */
    public String of(UUID customer, UUID verification) {
        return of(keys.getFirst(), customer, verification);
    }

    /** Whether it is the code by one of the keys: the other service may be ahead in replacing its own. */
    public boolean isRight(UUID customer, UUID verification, String code) {
        boolean right = false;
        for (var key : keys) { // in constant time
            right |= MessageDigest.isEqual(of(key, customer, verification).getBytes(UTF_8), code.getBytes(UTF_8));
        }
        return right;
    }

    private static String of(SecretKeySpec key, UUID customer, UUID verification) {
        // 2^64 is no multiple of a million, which makes some codes more likely than others by 1 in 10^13.
        var number = Long.remainderUnsigned(
                ByteBuffer.wrap(mac(key, "code", customer, verification, "")).getLong(), CODES);
        return String.format(Locale.ROOT, "%06d", number);
    }

    /** Of the code; keyed, since all codes of six digits can be tried out. */
    public byte[] hash(UUID customer, UUID verification) {
        return mac(keys.getFirst(), "hash", customer, verification, of(customer, verification));
    }

    private static byte[] mac(SecretKeySpec key, String purpose, UUID customer, UUID verification, String code) {
        try {
            var mac = Mac.getInstance(ALGORITHM);
            mac.init(key);
            return mac.doFinal(String.join("/", purpose, customer.toString(), verification.toString(), code)
                    .getBytes(UTF_8));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every Java has " + ALGORITHM, e);
        }
    }
}
