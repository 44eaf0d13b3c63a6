package dev.orderly.testing;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.Arrays;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.eclipse.microprofile.config.ConfigProvider;
import org.jose4j.jwa.AlgorithmConstraints;
import org.jose4j.jwk.JsonWebKey;
import org.jose4j.jwk.JsonWebKey.OutputControlLevel;
import org.jose4j.jwk.JsonWebKeySet;
import org.jose4j.jwk.RsaJsonWebKey;
import org.jose4j.jwk.RsaJwkGenerator;
import org.jose4j.jws.AlgorithmIdentifiers;
import org.jose4j.jws.JsonWebSignature;
import org.jose4j.jwt.JwtClaims;
import org.jose4j.keys.HmacKey;
import org.jose4j.lang.JoseException;

/**
 * The identity provider of the tests: it serves its public keys as any other, and tests sign what tokens they
 * need, the invalid ones too.
 */
public final class Tokens {

    public static final String CUSTOMER = "customer";
    public static final String CLERK = "clerk";
    public static final String OPERATOR = "operator";

    private static final String ISSUER = "https://identity.orderly.test";
    private static final String AUDIENCE = "orderly";
    private static final String KEY = "orderly.test.signing-key";
    private static final String[] ALL_ROLES = {CUSTOMER, CLERK, OPERATOR};

    private static final Map<String, String> issued = new ConcurrentHashMap<>();

    private static HttpServer server;

    private Tokens() {}

    /**
     * Starts the provider, and returns the settings of a service that trusts it. It is away when it is asked
     * the first time: a service starts without it. PUT replaces its key set; while that is empty, it is away.
     */
    static Map<String, String> startProvider() throws IOException {
        var key = newKey("test");
        var keys = new AtomicReference<byte[]>();
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/jwks", exchange -> {
            try (exchange) {
                if (exchange.getRequestMethod().equals("PUT")) {
                    keys.set(exchange.getRequestBody().readAllBytes());
                    exchange.sendResponseHeaders(204, -1);
                } else if (keys.compareAndSet(null, publicKeys(key)) || keys.get().length == 0) {
                    exchange.sendResponseHeaders(503, -1);
                } else {
                    exchange.getResponseHeaders().set("Content-Type", "application/json");
                    exchange.sendResponseHeaders(200, keys.get().length);
                    exchange.getResponseBody().write(keys.get());
                }
            }
        });
        server.start();
        return Map.of(
                "OIDC_ISSUER",
                ISSUER,
                "OIDC_JWKS_URL",
                "http://127.0.0.1:" + server.getAddress().getPort() + "/jwks",
                KEY,
                Base64.getEncoder()
                        .encodeToString(
                                key.toJson(OutputControlLevel.INCLUDE_PRIVATE).getBytes(UTF_8)));
    }

    static void stopProvider() {
        server.stop(0);
    }

    /** Rotates the provider's keys; without any, it is away. */
    public static void serve(RsaJsonWebKey... keys) throws IOException, InterruptedException {
        var url = ConfigProvider.getConfig().getValue("OIDC_JWKS_URL", URI.class);
        try (var http = HttpClient.newHttpClient()) {
            var body = keys.length == 0 ? BodyPublishers.noBody() : BodyPublishers.ofByteArray(publicKeys(keys));
            http.send(HttpRequest.newBuilder(url).PUT(body).build(), BodyHandlers.discarding());
        }
    }

    private static byte[] publicKeys(JsonWebKey... keys) {
        return new JsonWebKeySet(keys).toJson(OutputControlLevel.PUBLIC_ONLY).getBytes(UTF_8);
    }

    public static RsaJsonWebKey newKey(String id) {
        try {
            var key = RsaJwkGenerator.generateJwk(2048);
            key.setKeyId(id);
            return key;
        } catch (JoseException e) {
            throw new IllegalStateException(e);
        }
    }

    /** The key that the provider has from its start. */
    public static RsaJsonWebKey providersKey() {
        var encoded = ConfigProvider.getConfig().getValue(KEY, String.class);
        try {
            return (RsaJsonWebKey)
                    JsonWebKey.Factory.newJwk(new String(Base64.getDecoder().decode(encoded), UTF_8));
        } catch (JoseException e) {
            throw new IllegalStateException(e);
        }
    }

    /** A valid token. */
    public static String of(String subject, String... roles) {
        return issued.computeIfAbsent(
                subject + Arrays.toString(roles), _ -> sign(claims(subject, roles), providersKey()));
    }

    /** The same with every role. */
    public static String ofAllRoles(String subject) {
        return of(subject, ALL_ROLES);
    }

    /** The same as a line of a request. */
    public static String headerOfAllRoles(String subject) {
        return "Authorization: Bearer " + ofAllRoles(subject) + "\r\n";
    }

    public static String signedBy(RsaJsonWebKey key, String subject, String... roles) {
        return sign(claims(subject, roles), key);
    }

    /** Tokens of every role that must not be accepted, by what is wrong with them. */
    static Map<String, String> invalid(String subject) {
        var key = providersKey();
        var tokens = new LinkedHashMap<String, String>();
        tokens.put("expired", changed(subject, claims -> claims.setExpirationTimeMinutesInTheFuture(-2)));
        tokens.put("not valid yet", changed(subject, claims -> claims.setNotBeforeMinutesInThePast(-5)));
        tokens.put("of another audience", changed(subject, claims -> claims.setAudience("another")));
        tokens.put("of another issuer", changed(subject, claims -> claims.setIssuer("https://evil.test")));
        tokens.put("without an issuer", changed(subject, claims -> claims.unsetClaim("iss")));
        tokens.put("without an audience", changed(subject, claims -> claims.unsetClaim("aud")));
        tokens.put("without a subject", changed(subject, claims -> claims.unsetClaim("sub")));
        tokens.put("without an end", changed(subject, claims -> claims.unsetClaim("exp")));
        var parts = ofAllRoles(subject).split("\\.");
        tokens.put("tampered", parts[0] + "." + payload(claims("tampered", ALL_ROLES)) + "." + parts[2]);
        tokens.put("without its signature", parts[0] + "." + parts[1] + ".");
        tokens.put("signed by another key", sign(claims(subject, ALL_ROLES), newKey("test")));
        tokens.put("signed by an unknown key", sign(claims(subject, ALL_ROLES), newKey("../../etc/passwd")));
        tokens.put("unsigned", unsigned(claims(subject, ALL_ROLES)));
        tokens.put("signed by the public key as a secret", signedByPublicKey(claims(subject, ALL_ROLES), key));
        tokens.put("no token", "x".repeat(5_000));
        return tokens;
    }

    private static String changed(String subject, Consumer<JwtClaims> change) {
        var claims = claims(subject, ALL_ROLES);
        change.accept(claims);
        return sign(claims, providersKey());
    }

    private static JwtClaims claims(String subject, String... roles) {
        var claims = new JwtClaims();
        claims.setIssuer(ISSUER);
        claims.setAudience(AUDIENCE);
        claims.setSubject(subject);
        claims.setIssuedAtToNow();
        claims.setExpirationTimeMinutesInTheFuture(60);
        claims.setStringListClaim("groups", List.of(roles));
        return claims;
    }

    private static String payload(JwtClaims claims) {
        return Base64.getUrlEncoder()
                .withoutPadding()
                .encodeToString(claims.toJson().getBytes(UTF_8));
    }

    private static String sign(JwtClaims claims, RsaJsonWebKey key) {
        var signature = new JsonWebSignature();
        signature.setAlgorithmHeaderValue(AlgorithmIdentifiers.RSA_USING_SHA256);
        signature.setKeyIdHeaderValue(key.getKeyId());
        signature.setKey(key.getPrivateKey());
        return serialized(signature, claims);
    }

    private static String unsigned(JwtClaims claims) {
        var signature = new JsonWebSignature();
        signature.setAlgorithmConstraints(AlgorithmConstraints.NO_CONSTRAINTS);
        signature.setAlgorithmHeaderValue(AlgorithmIdentifiers.NONE);
        return serialized(signature, claims);
    }

    private static String signedByPublicKey(JwtClaims claims, RsaJsonWebKey key) {
        var signature = new JsonWebSignature();
        signature.setAlgorithmHeaderValue(AlgorithmIdentifiers.HMAC_SHA256);
        signature.setKeyIdHeaderValue(key.getKeyId());
        signature.setKey(new HmacKey(key.getPublicKey().getEncoded()));
        return serialized(signature, claims);
    }

    private static String serialized(JsonWebSignature signature, JwtClaims claims) {
        signature.setPayload(claims.toJson());
        try {
            return signature.getCompactSerialization();
        } catch (JoseException e) {
            throw new IllegalStateException(e);
        }
    }
}
