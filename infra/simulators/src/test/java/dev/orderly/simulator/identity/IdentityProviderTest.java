package dev.orderly.simulator.identity;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Base64;
import java.util.List;
import java.util.Set;
import org.jose4j.jwk.EcJwkGenerator;
import org.jose4j.jwk.JsonWebKey.OutputControlLevel;
import org.jose4j.jwk.JsonWebKeySet;
import org.jose4j.jws.AlgorithmIdentifiers;
import org.jose4j.jws.JsonWebSignature;
import org.jose4j.jwt.JwtClaims;
import org.jose4j.jwt.MalformedClaimException;
import org.jose4j.jwt.consumer.InvalidJwtException;
import org.jose4j.jwt.consumer.JwtConsumerBuilder;
import org.jose4j.keys.EllipticCurves;
import org.jose4j.keys.resolvers.JwksVerificationKeyResolver;
import org.jose4j.lang.JoseException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class IdentityProviderTest {

    private static final String ANN = "0198c6a2-0000-7000-8000-000000000001";
    private static final String ANYBODY = "0198c6a2-0000-7000-8000-00000000beef";

    private static final String REDIRECT_URI = "http://127.0.0.1:8088/login";
    /** That of RFC 7636, appendix B, with its challenge. */
    private static final String VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

    private static final String LOGIN = "client_id=console&response_type=code&code_challenge_method=S256"
            + "&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&state=a%26b&nonce=once&redirect_uri="
            + REDIRECT_URI;
    private static final String EXCHANGE =
            "grant_type=authorization_code&client_id=console&redirect_uri=" + REDIRECT_URI;

    @TempDir
    Path folder;

    private IdentityProvider start() throws IOException {
        return new IdentityProvider(
                new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
                "https://identity.test",
                "the secret",
                Set.of(REDIRECT_URI),
                folder.resolve("identity/key.json"));
    }

    @ParameterizedTest
    @CsvSource({
        "ann, " + ANN + ", customer",
        ANYBODY + ", " + ANYBODY + ", customer",
        "carl, carl, clerk",
        "olga, olga, operator"
    })
    void a_person_gets_a_token_with_their_role(String name, String subject, String role) throws Exception {
        try (var provider = start()) {
            var token = claims(provider, token(provider, "client_secret=the+secret&subject=" + name));

            assertThat(token.getSubject()).isEqualTo(subject);
            assertThat(token.getStringListClaimValue("groups")).isEqualTo(List.of(role));
        }
    }

    @ParameterizedTest
    @CsvSource({
        "client_secret=wrong&subject=ann, invalid_client",
        "subject=ann, invalid_client",
        "client_secret=the+secret&subject=nobody, invalid_request",
        "client_secret=the+secret, invalid_request"
    })
    void without_the_secret_or_a_known_name_there_is_no_token(String form, String error) throws Exception {
        try (var provider = start()) {
            assertThat(ask(provider, form).path("error").asText()).isEqualTo(error);
        }
    }

    @Test
    void tokens_outlive_a_restart_and_nobody_else_can_read_the_key() throws Exception {
        String token;
        try (var provider = start()) {
            token = token(provider, "client_secret=the+secret&subject=ann");
        }

        try (var provider = start()) {
            assertThat(claims(provider, token).getSubject()).isEqualTo(ANN);
        }
        assertThat(Files.getPosixFilePermissions(folder.resolve("identity/key.json")))
                .isEqualTo(PosixFilePermissions.fromString("rw-------"));
    }

    @Test
    void a_token_of_the_former_key_is_valid_until_that_is_deleted() throws Exception {
        Path key = folder.resolve("identity/key.json");
        Path former = folder.resolve("identity/former.json");
        String token;
        try (var provider = start()) {
            token = token(provider, "client_secret=the+secret&subject=ann");
        }
        Files.move(key, former);

        try (var provider = start()) {
            assertThat(claims(provider, token).getSubject()).isEqualTo(ANN);
            var next = token(provider, "client_secret=the+secret&subject=ann");
            assertThat(claims(provider, next).getSubject()).isEqualTo(ANN);
            assertThat(Files.readString(key)).isNotEqualTo(Files.readString(former));
        }
        Files.delete(former);
        try (var provider = start()) {
            assertThatThrownBy(() -> claims(provider, token)).isInstanceOf(InvalidJwtException.class);
        }
    }

    @Test
    void a_key_on_a_curve_is_rotated_and_its_tokens_stay_valid() throws Exception {
        var former = EcJwkGenerator.generateJwk(EllipticCurves.P256);
        former.setKeyId("former");
        Path key = Files.createDirectory(folder.resolve("identity")).resolve("key.json");
        Files.writeString(key, former.toJson(OutputControlLevel.INCLUDE_PRIVATE));

        try (var provider = start()) {
            var next = token(provider, "client_secret=the+secret&subject=ann");
            assertThat(claims(provider, next).getSubject()).isEqualTo(ANN);

            var signature = new JsonWebSignature();
            signature.setAlgorithmHeaderValue(AlgorithmIdentifiers.ECDSA_USING_P256_CURVE_AND_SHA256);
            signature.setKeyIdHeaderValue("former");
            signature.setKey(former.getPrivateKey());
            signature.setPayload(new String(Base64.getUrlDecoder().decode(next.split("\\.")[1]), UTF_8));
            assertThat(claims(provider, signature.getCompactSerialization()).getSubject())
                    .isEqualTo(ANN);
        }
    }

    @Test
    void who_logs_in_on_the_page_is_who_the_console_gets_tokens_of() throws Exception {
        try (var provider = start()) {
            assertThat(send(HttpRequest.newBuilder(url(provider, "/authorize?" + LOGIN))))
                    .contains("value=\"ann\"", "value=\"bob\"", "value=\"carl\"", "value=\"olga\"", "value=\"a&amp;b\"")
                    .doesNotContain("value=\"tools\"");

            var back = login(provider, LOGIN + "&subject=bob");
            assertThat(back).startsWith(REDIRECT_URI + "?code=").endsWith("&state=a%26b");

            var exchange = EXCHANGE + "&code_verifier=" + VERIFIER + "&code=" + code(back);
            var tokens = post(provider, exchange);
            var access = claims(provider, tokens.path("access_token").asText());
            assertThat(access.getSubject()).isEqualTo("0198c6a2-0000-7000-8000-000000000002");
            var id = claims(provider, tokens.path("id_token").asText(), "console");
            assertThat(id.getSubject()).isEqualTo(access.getSubject());
            assertThat(id.getStringClaimValue("preferred_username")).isEqualTo("bob");
            assertThat(id.getStringClaimValue("nonce")).isEqualTo("once");

            assertThat(post(provider, exchange).path("error").asText())
                    .as("the same code once more")
                    .isEqualTo("invalid_grant");
        }
    }

    @ParameterizedTest
    @CsvSource({
        "code_verifier=" + VERIFIER + "x, another verifier",
        "other=1, no verifier",
        "code_verifier=" + VERIFIER + "&client_id=other, another client",
        "code_verifier=" + VERIFIER + "&redirect_uri=http://127.0.0.1:8088/login/, another address"
    })
    void a_code_is_good_for_who_began_the_login_alone_and_for_one_attempt(String others, String whose)
            throws Exception {
        try (var provider = start()) {
            var code = code(login(provider, LOGIN + "&subject=ann"));

            assertThat(post(provider, EXCHANGE + "&code=" + code + "&" + others)
                            .path("error")
                            .asText())
                    .as(whose)
                    .isEqualTo("invalid_grant");
            assertThat(post(provider, EXCHANGE + "&code=" + code + "&code_verifier=" + VERIFIER)
                            .path("error")
                            .asText())
                    .as("after a failed attempt")
                    .isEqualTo("invalid_grant");
        }
    }

    @ParameterizedTest
    @CsvSource({
        "client_id=other, 400, ''",
        "redirect_uri=http://127.0.0.1:8088/login/../x, 400, ''",
        "redirect_uri=https://evil.example, 400, ''",
        "code_challenge_method=plain, 303, error=invalid_request",
        "code_challenge=short, 303, error=invalid_request",
        "response_type=token, 303, error=invalid_request",
        "subject=nobody, 303, error=access_denied",
        "subject=tools, 303, error=access_denied"
    })
    void a_login_that_is_not_as_it_must_be_gets_no_code(String changed, int status, String error) throws Exception {
        try (var provider = start()) {
            var response = respond(HttpRequest.newBuilder(url(provider, "/authorize"))
                    .POST(BodyPublishers.ofString(LOGIN + "&subject=ann&" + changed)));

            assertThat(response.statusCode()).isEqualTo(status);
            assertThat(response.headers().firstValue("Location").orElse(""))
                    .contains(error)
                    .doesNotContain("code=");
        }
    }

    @Test
    void the_metadata_name_the_endpoints_where_they_were_asked_for() throws Exception {
        try (var provider = start()) {
            var metadata = new JsonMapper()
                    .readTree(send(HttpRequest.newBuilder(url(provider, "/.well-known/openid-configuration"))));

            assertThat(metadata.path("issuer").asText()).isEqualTo("https://identity.test");
            assertThat(metadata.path("jwks_uri").asText())
                    .isEqualTo(url(provider, "/jwks").toString());
            assertThat(metadata.path("code_challenge_methods_supported")).hasToString("[\"S256\"]");
        }
    }

    private static String login(IdentityProvider provider, String form) throws IOException, InterruptedException {
        var response =
                respond(HttpRequest.newBuilder(url(provider, "/authorize")).POST(BodyPublishers.ofString(form)));
        return response.headers().firstValue("Location").orElseThrow();
    }

    private static String code(String location) {
        return location.replaceAll(".*[?&]code=([^&]*).*", "$1");
    }

    private static JsonNode post(IdentityProvider provider, String form) throws IOException, InterruptedException {
        return new JsonMapper()
                .readTree(send(HttpRequest.newBuilder(url(provider, "/token")).POST(BodyPublishers.ofString(form))));
    }

    private static String token(IdentityProvider provider, String form) throws IOException, InterruptedException {
        return ask(provider, form).path("access_token").asText();
    }

    private static JsonNode ask(IdentityProvider provider, String form) throws IOException, InterruptedException {
        return post(provider, "grant_type=client_credentials&" + form);
    }

    /** As a service verifies it. */
    private static JwtClaims claims(IdentityProvider provider, String token)
            throws IOException, InterruptedException, JoseException, InvalidJwtException, MalformedClaimException {
        return claims(provider, token, "orderly");
    }

    private static JwtClaims claims(IdentityProvider provider, String token, String audience)
            throws IOException, InterruptedException, JoseException, InvalidJwtException, MalformedClaimException {
        var keys = new JsonWebKeySet(send(HttpRequest.newBuilder(url(provider, "/jwks"))));
        return new JwtConsumerBuilder()
                .setVerificationKeyResolver(new JwksVerificationKeyResolver(keys.getJsonWebKeys()))
                .setExpectedIssuer("https://identity.test")
                .setExpectedAudience(audience)
                .setRequireExpirationTime()
                .build()
                .processToClaims(token);
    }

    private static URI url(IdentityProvider provider, String path) {
        return URI.create("http://127.0.0.1:" + provider.port() + path);
    }

    private static String send(HttpRequest.Builder request) throws IOException, InterruptedException {
        return respond(request).body();
    }

    private static HttpResponse<String> respond(HttpRequest.Builder request) throws IOException, InterruptedException {
        try (var http = HttpClient.newHttpClient()) {
            return http.send(request.build(), BodyHandlers.ofString());
        }
    }
}
