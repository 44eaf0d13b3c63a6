package dev.orderly.simulator.identity;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.orderly.simulator.http.JsonServer;
import dev.orderly.simulator.http.JsonServer.Request;
import dev.orderly.simulator.http.JsonServer.Response;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URLDecoder;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import org.jose4j.jwt.JwtClaims;
import org.jose4j.lang.JoseException;

/**
 * The part of an OpenID provider that Orderly uses.
 *
 * <pre>
 *   GET  /jwks    the public keys
 *   POST /token   grant_type=client_credentials&amp;client_secret=…&amp;subject=ann: a token of a person,
 *                 or of the customer of an id
 * </pre>
 *
 * The issuer is a name, and not where this listens: for a service in a container that is another address than
 * for a client outside of it.
 */
public final class IdentityProvider implements AutoCloseable {

    private static final Duration VALID = Duration.ofHours(1);

    private final String issuer;
    private final byte[] clientSecret;
    private final SigningKey key;
    private final People people;
    private final JsonServer http;

    /**
     * @param clientSecret of whom tokens are issued to
     * @param keyFile is created if it does not exist
     */
    public IdentityProvider(InetSocketAddress address, String issuer, String clientSecret, Path keyFile)
            throws IOException {
        this.issuer = issuer;
        this.clientSecret = clientSecret.getBytes(UTF_8);
        key = SigningKey.of(keyFile);
        people = People.read();
        http = new JsonServer(address, "", this::respond);
    }

    public int port() {
        return http.port();
    }

    @Override
    public void close() {
        http.close();
    }

    private Response respond(Request request) throws IOException {
        return switch (request.route()) {
            case "GET /jwks" -> {
                var keys = key.publicKeys();
                yield new Response(200, keys.length, out -> out.write(keys));
            }
            case "POST /token" -> issue(form(request.body()));
            default -> Response.error(404, "there is no " + request.route());
        };
    }

    /** The errors are those of RFC 6749, 5.2. */
    private Response issue(Map<String, String> form) throws IOException {
        if (!MessageDigest.isEqual(form.getOrDefault("client_secret", "").getBytes(UTF_8), clientSecret)) {
            return Response.error(401, "invalid_client");
        }
        if (!"client_credentials".equals(form.get("grant_type"))) {
            return Response.error(400, "unsupported_grant_type");
        }
        var person = people.find(form.getOrDefault("subject", ""));
        if (person.isEmpty()) {
            return Response.error(400, "invalid_request");
        }
        var claims = new JwtClaims();
        claims.setIssuer(issuer);
        claims.setAudience("orderly");
        claims.setSubject(person.get().subject());
        claims.setStringListClaim("groups", person.get().roles());
        claims.setIssuedAtToNow();
        claims.setExpirationTimeMinutesInTheFuture(VALID.toMinutes());
        claims.setGeneratedJwtId();
        try {
            return Response.json(
                    200,
                    Map.of("access_token", key.sign(claims), "token_type", "Bearer", "expires_in", VALID.toSeconds()));
        } catch (JoseException e) {
            throw new IOException("cannot sign a token", e);
        }
    }

    private static Map<String, String> form(byte[] body) {
        var form = new HashMap<String, String>();
        for (var field : new String(body, UTF_8).split("&")) {
            var separator = field.indexOf('=');
            if (separator > 0) {
                form.put(decode(field.substring(0, separator)), decode(field.substring(separator + 1)));
            }
        }
        return form;
    }

    private static String decode(String text) {
        return URLDecoder.decode(text, UTF_8);
    }
}
