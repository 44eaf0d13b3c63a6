package dev.orderly.simulator.identity;

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
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.jose4j.jwk.JsonWebKeySet;
import org.jose4j.jwt.JwtClaims;
import org.jose4j.jwt.MalformedClaimException;
import org.jose4j.jwt.consumer.InvalidJwtException;
import org.jose4j.jwt.consumer.JwtConsumerBuilder;
import org.jose4j.keys.resolvers.JwksVerificationKeyResolver;
import org.jose4j.lang.JoseException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class IdentityProviderTest {

    private static final String ANN = "0198c6a2-0000-7000-8000-000000000001";
    private static final String ANYBODY = "0198c6a2-0000-7000-8000-00000000beef";

    @TempDir
    Path folder;

    private IdentityProvider start() throws IOException {
        return new IdentityProvider(
                new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
                "https://identity.test",
                "the secret",
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

    private static String token(IdentityProvider provider, String form) throws IOException, InterruptedException {
        return ask(provider, form).path("access_token").asText();
    }

    private static JsonNode ask(IdentityProvider provider, String form) throws IOException, InterruptedException {
        return new JsonMapper()
                .readTree(send(HttpRequest.newBuilder(url(provider, "/token"))
                        .POST(BodyPublishers.ofString("grant_type=client_credentials&" + form))));
    }

    /** As a service verifies it. */
    private static JwtClaims claims(IdentityProvider provider, String token)
            throws IOException, InterruptedException, JoseException, InvalidJwtException, MalformedClaimException {
        var keys = new JsonWebKeySet(send(HttpRequest.newBuilder(url(provider, "/jwks"))));
        return new JwtConsumerBuilder()
                .setVerificationKeyResolver(new JwksVerificationKeyResolver(keys.getJsonWebKeys()))
                .setExpectedIssuer("https://identity.test")
                .setExpectedAudience("orderly")
                .setRequireExpirationTime()
                .build()
                .processToClaims(token);
    }

    private static URI url(IdentityProvider provider, String path) {
        return URI.create("http://127.0.0.1:" + provider.port() + path);
    }

    private static String send(HttpRequest.Builder request) throws IOException, InterruptedException {
        try (var http = HttpClient.newHttpClient()) {
            return http.send(request.build(), BodyHandlers.ofString()).body();
        }
    }
}
