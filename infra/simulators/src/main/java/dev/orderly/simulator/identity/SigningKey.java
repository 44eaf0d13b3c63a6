package dev.orderly.simulator.identity;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import org.jose4j.jwk.JsonWebKey;
import org.jose4j.jwk.JsonWebKey.OutputControlLevel;
import org.jose4j.jwk.JsonWebKeySet;
import org.jose4j.jwk.PublicJsonWebKey;
import org.jose4j.jwk.RsaJsonWebKey;
import org.jose4j.jwk.RsaJwkGenerator;
import org.jose4j.jws.AlgorithmIdentifiers;
import org.jose4j.jws.JsonWebSignature;
import org.jose4j.jwt.JwtClaims;
import org.jose4j.lang.JoseException;

/**
 * The key that tokens are signed with: made once, and kept in a file that only its owner can read, so that
 * tokens outlive a restart. Rename the file to {@value #FORMER} to rotate it: then another is made, and the
 * tokens of the former stay valid for as long as its file is there. RSA, whose signatures are dear to make
 * and cheap to verify: a token is signed once, and verified by each service in each minute. A key on the
 * curve P-256, as an earlier version made them, is rotated.
 */
final class SigningKey {

    private static final String FORMER = "former.json";
    private static final int BITS = 2048;

    private final PublicJsonWebKey key;
    private final List<JsonWebKey> published = new ArrayList<>();

    private SigningKey(PublicJsonWebKey key, Path former) throws IOException, JoseException {
        this.key = key;
        published.add(key);
        if (Files.exists(former)) {
            published.add(read(former));
        }
    }

    private static PublicJsonWebKey read(Path file) throws IOException, JoseException {
        return PublicJsonWebKey.Factory.newPublicJwk(Files.readString(file));
    }

    static SigningKey of(Path file) throws IOException {
        Path former = file.resolveSibling(FORMER);
        try {
            if (Files.exists(file)) {
                var key = read(file);
                if (key instanceof RsaJsonWebKey) {
                    return new SigningKey(key, former);
                }
                Files.move(file, former, StandardCopyOption.ATOMIC_MOVE);
            }
            var key = RsaJwkGenerator.generateJwk(BITS);
            // By its content, so that a service notices another one.
            key.setKeyId(key.calculateBase64urlEncodedThumbprint("SHA-256"));
            Files.createDirectories(file.getParent());
            var unfinished = Files.createTempFile(
                    file.getParent(),
                    "key",
                    ".new",
                    PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
            Files.writeString(unfinished, key.toJson(OutputControlLevel.INCLUDE_PRIVATE));
            Files.move(unfinished, file, StandardCopyOption.ATOMIC_MOVE);
            return new SigningKey(key, former);
        } catch (JoseException e) {
            throw new IOException("a key in " + file.getParent() + " is invalid; without it, another one is made", e);
        }
    }

    /** The key set (RFC 7517) that tokens are verified with. */
    byte[] publicKeys() {
        return new JsonWebKeySet(published)
                .toJson(OutputControlLevel.PUBLIC_ONLY)
                .getBytes(UTF_8);
    }

    /** A token (RFC 7519). */
    String sign(JwtClaims claims) throws JoseException {
        var signature = new JsonWebSignature();
        signature.setAlgorithmHeaderValue(AlgorithmIdentifiers.RSA_USING_SHA256);
        signature.setKeyIdHeaderValue(key.getKeyId());
        signature.setKey(key.getPrivateKey());
        signature.setPayload(claims.toJson());
        return signature.getCompactSerialization();
    }
}
