package dev.orderly.http;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import io.quarkus.oidc.runtime.OidcAuthenticationMechanism;
import io.quarkus.security.identity.IdentityProviderManager;
import io.quarkus.security.identity.SecurityIdentity;
import io.quarkus.security.identity.request.AuthenticationRequest;
import io.quarkus.security.runtime.QuarkusSecurityIdentity;
import io.quarkus.vertx.http.runtime.security.ChallengeData;
import io.quarkus.vertx.http.runtime.security.HttpAuthenticationMechanism;
import io.quarkus.vertx.http.runtime.security.HttpCredentialTransport;
import io.smallrye.mutiny.Uni;
import io.vertx.core.http.HttpHeaders;
import io.vertx.ext.web.RoutingContext;
import jakarta.annotation.Priority;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.inject.Alternative;
import jakarta.inject.Inject;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Set;
import org.eclipse.microprofile.jwt.JsonWebToken;

/**
 * Verifies a token once, and believes it for a minute: to verify a signature costs up to several milliseconds
 * of processor time, by its algorithm, more than all else of most requests. So for up to a minute a token is
 * still taken whose key the provider does not publish any more; never one that has expired.
 */
@Alternative
@Priority(1)
@ApplicationScoped
class VerifiedTokens implements HttpAuthenticationMechanism {

    static final Duration MAX_AGE = Duration.ofMinutes(1);

    /** Of so many callers of a minute; of more, some are verified again. */
    private static final int MAX_TOKENS = 10_000;

    private final HttpAuthenticationMechanism verifier;
    private final Clock clock;
    private final Cache<String, Verified> verified;

    @Inject
    VerifiedTokens(OidcAuthenticationMechanism verifier, Clock clock) {
        this((HttpAuthenticationMechanism) verifier, clock);
    }

    VerifiedTokens(HttpAuthenticationMechanism verifier, Clock clock) {
        this.verifier = verifier;
        this.clock = clock;
        this.verified = Caffeine.newBuilder().maximumSize(MAX_TOKENS).build();
    }

    private record Verified(SecurityIdentity identity, Instant until) {}

    @Override
    public Uni<SecurityIdentity> authenticate(RoutingContext request, IdentityProviderManager identities) {
        var authorization = request.request().getHeader(HttpHeaders.AUTHORIZATION);
        var known = authorization == null ? null : verified.getIfPresent(authorization);
        if (known != null && clock.instant().isBefore(known.until)) {
            return Uni.createFrom().item(known.identity);
        }
        return verifier.authenticate(request, identities).invoke(identity -> {
            if (identity != null && identity.getPrincipal() instanceof JsonWebToken token) {
                verified.put(authorization, verified(identity, token));
            }
        });
    }

    /** Without what belongs to the request that brought it. */
    private Verified verified(SecurityIdentity identity, JsonWebToken token) {
        var expires = Instant.ofEpochSecond(token.getExpirationTime());
        var believed = clock.instant().plus(MAX_AGE);
        return new Verified(
                QuarkusSecurityIdentity.builder()
                        .setPrincipal(token)
                        .addRoles(identity.getRoles())
                        .build(),
                expires.isBefore(believed) ? expires : believed);
    }

    @Override
    public Uni<ChallengeData> getChallenge(RoutingContext request) {
        return verifier.getChallenge(request);
    }

    @Override
    public Set<Class<? extends AuthenticationRequest>> getCredentialTypes() {
        return verifier.getCredentialTypes();
    }

    @Override
    public Uni<HttpCredentialTransport> getCredentialTransport(RoutingContext request) {
        return verifier.getCredentialTransport(request);
    }
}
