package dev.orderly.simulator.identity;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.orderly.simulator.http.JsonServer;
import dev.orderly.simulator.http.JsonServer.Request;
import dev.orderly.simulator.http.JsonServer.Response;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URLDecoder;
import java.net.URLEncoder;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Clock;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import org.jose4j.jwt.JwtClaims;
import org.jose4j.lang.JoseException;

/**
 * The part of an OpenID provider that Orderly uses.
 *
 * <pre>
 *   GET  /jwks       the public keys
 *   POST /token      grant_type=client_credentials&amp;client_secret=…&amp;subject=ann: a token of a person,
 *                    or of the customer of an id
 *                    grant_type=authorization_code&amp;code=…&amp;code_verifier=…: of who has logged in
 *   GET  /authorize  the page to log in on, for the console: with PKCE, and back to its own address
 *   GET  /.well-known/openid-configuration, and oauth-authorization-server: where all that is
 * </pre>
 *
 * The issuer is a name, and not where this listens: for a service in a container that is another address than
 * for a client outside of it.
 */
public final class IdentityProvider implements AutoCloseable {

    /** The one client that logs people in. It is public: it has no secret, and proves itself by PKCE. */
    public static final String CONSOLE = "console";

    private static final Duration VALID = Duration.ofHours(1);
    private static final Pattern CHALLENGE = Pattern.compile("[A-Za-z0-9_-]{43}");
    private static final Map<String, String> NO_STORE = Map.of("Cache-Control", "no-store");

    private final String issuer;
    private final byte[] clientSecret;
    private final Set<String> redirectUris;
    private final SigningKey key;
    private final People people;
    private final AuthorizationCodes codes = new AuthorizationCodes(Clock.systemUTC());
    private final LoginPage page = new LoginPage();
    private final JsonServer http;

    /**
     * @param clientSecret of whom tokens are issued to
     * @param redirectUris where the console may have a login return to, each exactly so
     * @param keyFile is created if it does not exist
     */
    public IdentityProvider(
            InetSocketAddress address, String issuer, String clientSecret, Set<String> redirectUris, Path keyFile)
            throws IOException {
        this.issuer = issuer;
        this.clientSecret = clientSecret.getBytes(UTF_8);
        this.redirectUris = redirectUris;
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
            case "POST /token" -> issue(form(new String(request.body(), UTF_8)));
            case "GET /authorize" -> authorize(form(request.query()));
            case "POST /authorize" -> authorize(form(new String(request.body(), UTF_8)));
            case "GET /.well-known/openid-configuration", "GET /.well-known/oauth-authorization-server" ->
                Response.json(200, metadata("http://" + request.headers().getFirst("Host")));
            default -> Response.error(404, "there is no " + request.route());
        };
    }

    /** @param here where the client has reached this, which is the only address that it certainly can */
    private Map<String, Object> metadata(String here) {
        return Map.of(
                "issuer", issuer,
                "authorization_endpoint", here + "/authorize",
                "token_endpoint", here + "/token",
                "jwks_uri", here + "/jwks",
                "response_types_supported", List.of("code"),
                "grant_types_supported", List.of("authorization_code", "client_credentials"),
                "code_challenge_methods_supported", List.of("S256"),
                "token_endpoint_auth_methods_supported", List.of("none", "client_secret_post"),
                "subject_types_supported", List.of("public"),
                "id_token_signing_alg_values_supported", List.of("RS256"));
    }

    /** The page, and what its form sends. To an address that is not the client's nothing is sent back. */
    private Response authorize(Map<String, String> form) {
        var redirectUri = form.getOrDefault("redirect_uri", "");
        if (!CONSOLE.equals(form.get("client_id")) || !redirectUris.contains(redirectUri)) {
            return LoginPage.error("No client that may log people in has this id and this address.");
        }
        var challenge = form.getOrDefault("code_challenge", "");
        if (!"code".equals(form.get("response_type"))
                || !"S256".equals(form.get("code_challenge_method"))
                || !CHALLENGE.matcher(challenge).matches()) {
            return back(redirectUri, "error", "invalid_request", form);
        }
        var subject = form.remove("subject");
        if (subject == null) {
            return page.of(form, people.named());
        }
        var person = people.find(subject).filter(found -> !found.program());
        if (person.isEmpty()) {
            return back(redirectUri, "error", "access_denied", form);
        }
        var login = new AuthorizationCodes.Login(
                CONSOLE, redirectUri, challenge, form.getOrDefault("nonce", ""), person.get());
        return back(redirectUri, "code", codes.issue(login), form);
    }

    private static Response back(String redirectUri, String name, String value, Map<String, String> form) {
        var location = redirectUri + "?" + name + "=" + encoded(value);
        if (form.containsKey("state")) {
            location += "&state=" + encoded(form.get("state"));
        }
        var headers = Map.of("Location", location, "Cache-Control", "no-store", "Referrer-Policy", "no-referrer");
        return new Response(303, -1, _ -> {}, headers);
    }

    /** The errors are those of RFC 6749, 5.2. */
    private Response issue(Map<String, String> form) throws IOException {
        return switch (form.getOrDefault("grant_type", "")) {
            case "client_credentials" -> issueToTool(form);
            case "authorization_code" -> issueToConsole(form);
            // Before the grant, as ever: who has no secret learns nothing.
            default ->
                hasSecret(form) ? Response.error(400, "unsupported_grant_type") : Response.error(401, "invalid_client");
        };
    }

    private Response issueToTool(Map<String, String> form) throws IOException {
        if (!hasSecret(form)) {
            return Response.error(401, "invalid_client");
        }
        var person = people.find(form.getOrDefault("subject", ""));
        return person.isEmpty() ? Response.error(400, "invalid_request") : tokens(accessToken(person.get()), Map.of());
    }

    private boolean hasSecret(Map<String, String> form) {
        return MessageDigest.isEqual(form.getOrDefault("client_secret", "").getBytes(UTF_8), clientSecret);
    }

    private Response issueToConsole(Map<String, String> form) throws IOException {
        var login = codes.exchange(
                form.getOrDefault("code", ""),
                form.getOrDefault("client_id", ""),
                form.getOrDefault("redirect_uri", ""),
                form.getOrDefault("code_verifier", ""));
        if (login.isEmpty()) {
            return Response.error(400, "invalid_grant");
        }
        var person = login.get().person();
        var id = claims(person, CONSOLE);
        id.setStringClaim("preferred_username", person.name());
        if (!login.get().nonce().isEmpty()) {
            id.setStringClaim("nonce", login.get().nonce());
        }
        return tokens(accessToken(person), Map.of("id_token", sign(id), "scope", "openid"));
    }

    private String accessToken(People.Person person) throws IOException {
        return sign(claims(person, "orderly"));
    }

    private JwtClaims claims(People.Person person, String audience) {
        var claims = new JwtClaims();
        claims.setIssuer(issuer);
        claims.setAudience(audience);
        claims.setSubject(person.subject());
        claims.setStringListClaim("groups", person.roles());
        claims.setIssuedAtToNow();
        claims.setExpirationTimeMinutesInTheFuture(VALID.toMinutes());
        claims.setGeneratedJwtId();
        return claims;
    }

    private String sign(JwtClaims claims) throws IOException {
        try {
            return key.sign(claims);
        } catch (JoseException e) {
            throw new IOException("cannot sign a token", e);
        }
    }

    private static Response tokens(String accessToken, Map<String, String> others) {
        var tokens = new LinkedHashMap<String, Object>(others);
        tokens.put("access_token", accessToken);
        tokens.put("token_type", "Bearer");
        tokens.put("expires_in", VALID.toSeconds());
        var json = Response.json(200, tokens);
        return new Response(json.status(), json.length(), json.body(), NO_STORE);
    }

    private static Map<String, String> form(String text) {
        var form = new LinkedHashMap<String, String>();
        for (var field : text.split("&")) {
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

    private static String encoded(String text) {
        return URLEncoder.encode(text, UTF_8);
    }
}
