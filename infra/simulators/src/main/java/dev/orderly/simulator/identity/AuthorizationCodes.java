package dev.orderly.simulator.identity;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * Codes that were issued by the login page and not exchanged yet (RFC 6749, 4.1). Each is good for one
 * exchange within a minute, by who started the login: who has the code alone lacks the verifier of its
 * challenge (PKCE, RFC 7636).
 */
final class AuthorizationCodes {

    private static final Duration VALID = Duration.ofMinutes(1);
    private static final int MAX_CODES = 1_000;
    private static final int CODE_BYTES = 32;
    private static final Base64.Encoder TEXT = Base64.getUrlEncoder().withoutPadding();
    private static final Pattern VERIFIER = Pattern.compile("[A-Za-z0-9._~-]{43,128}");

    private final Clock clock;
    private final SecureRandom random = new SecureRandom();
    private final Map<String, Issued> issued = new LinkedHashMap<>() {
        private static final long serialVersionUID = 1;

        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Issued> eldest) {
            return size() > MAX_CODES;
        }
    };

    /** @param nonce of the client, which its ID token repeats; may be empty */
    record Login(String clientId, String redirectUri, String challenge, String nonce, People.Person person) {}

    private record Issued(Login login, Instant validUntil) {}

    AuthorizationCodes(Clock clock) {
        this.clock = clock;
    }

    synchronized String issue(Login login) {
        var bytes = new byte[CODE_BYTES];
        random.nextBytes(bytes);
        var code = TEXT.encodeToString(bytes);
        issued.put(code, new Issued(login, clock.instant().plus(VALID)));
        return code;
    }

    /** Whose login it was, once: a second try finds nothing, also after one that failed. */
    synchronized Optional<Login> exchange(String code, String clientId, String redirectUri, String verifier) {
        return Optional.ofNullable(issued.remove(code))
                .filter(found -> clock.instant().isBefore(found.validUntil))
                .map(Issued::login)
                .filter(login -> login.clientId.equals(clientId) && login.redirectUri.equals(redirectUri))
                .filter(login -> VERIFIER.matcher(verifier).matches()
                        && MessageDigest.isEqual(challenge(verifier), login.challenge.getBytes(US_ASCII)));
    }

    private static byte[] challenge(String verifier) {
        try {
            var hash = MessageDigest.getInstance("SHA-256").digest(verifier.getBytes(US_ASCII));
            return TEXT.encodeToString(hash).getBytes(US_ASCII);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }
}
