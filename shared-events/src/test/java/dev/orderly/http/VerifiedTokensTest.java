package dev.orderly.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.quarkus.security.identity.IdentityProviderManager;
import io.quarkus.security.identity.SecurityIdentity;
import io.quarkus.security.runtime.QuarkusSecurityIdentity;
import io.quarkus.vertx.http.runtime.security.ChallengeData;
import io.quarkus.vertx.http.runtime.security.HttpAuthenticationMechanism;
import io.smallrye.mutiny.Uni;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.ext.web.RoutingContext;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZoneOffset;
import java.util.Set;
import org.eclipse.microprofile.jwt.JsonWebToken;
import org.junit.jupiter.api.Test;

class VerifiedTokensTest {

    private static final Instant START = Instant.parse("2026-11-30T10:00:00Z");

    private Instant now = START;
    private Instant expires = START.plus(Duration.ofHours(1));
    private boolean valid = true;
    private int verifications;

    private final InstantSource time = () -> now;
    private final VerifiedTokens tokens = new VerifiedTokens(new Verifier(), time.withZone(ZoneOffset.UTC));

    /** Of tokens that are all a clerk's. */
    private final class Verifier implements HttpAuthenticationMechanism {
        @Override
        public Uni<SecurityIdentity> authenticate(RoutingContext request, IdentityProviderManager identities) {
            verifications++;
            return valid ? Uni.createFrom().item(clerk()) : Uni.createFrom().nullItem();
        }

        @Override
        public Uni<ChallengeData> getChallenge(RoutingContext request) {
            return Uni.createFrom().nullItem();
        }
    }

    private SecurityIdentity clerk() {
        var token = new JsonWebToken() {
            @Override
            public String getName() {
                return "carl";
            }

            @Override
            public Set<String> getClaimNames() {
                return Set.of("exp");
            }

            @Override
            @SuppressWarnings("unchecked")
            public <T> T getClaim(String claim) {
                return (T) (Long) expires.getEpochSecond();
            }
        };
        return QuarkusSecurityIdentity.builder()
                .setPrincipal(token)
                .addRole("clerk")
                .addAttribute("of the request", "large")
                .build();
    }

    private SecurityIdentity authenticate(String authorization) {
        var head = proxy(HttpServerRequest.class, authorization);
        return tokens.authenticate(proxy(RoutingContext.class, head), null)
                .await()
                .indefinitely();
    }

    private static <T> T proxy(Class<T> type, Object answer) {
        var made = Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, (_, _, _) -> answer);
        return type.cast(made);
    }

    @Test
    void a_token_is_verified_once_a_minute() {
        authenticate("Bearer a");
        var again = authenticate("Bearer a");

        assertThat(verifications).isEqualTo(1);
        assertThat(again.getPrincipal().getName()).isEqualTo("carl");
        assertThat(again.getRoles()).containsExactly("clerk");
        assertThat(again.getAttributes()).isEmpty();

        now = START.plus(VerifiedTokens.MAX_AGE);
        authenticate("Bearer a");

        assertThat(verifications).isEqualTo(2);
    }

    @Test
    void another_token_is_verified() {
        authenticate("Bearer a");
        authenticate("Bearer b");
        authenticate("bearer a");

        assertThat(verifications).isEqualTo(3);
    }

    @Test
    void a_token_is_not_believed_after_it_has_expired() {
        expires = START.plusSeconds(10);
        authenticate("Bearer a");

        valid = false;
        now = expires;

        assertThat(authenticate("Bearer a")).isNull();
    }

    @Test
    void a_token_that_is_not_valid_is_verified_each_time() {
        valid = false;

        assertThat(authenticate("Bearer a")).isNull();
        assertThat(authenticate("Bearer a")).isNull();
        assertThat(verifications).isEqualTo(2);
    }
}
