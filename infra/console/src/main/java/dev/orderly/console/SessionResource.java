package dev.orderly.console;

import static java.util.Comparator.naturalOrder;

import dev.orderly.console.config.ConsoleConfig;
import io.quarkus.security.identity.CurrentIdentityAssociation;
import io.quarkus.security.identity.SecurityIdentity;
import io.smallrye.mutiny.Uni;
import jakarta.annotation.security.PermitAll;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.MediaType;
import java.net.URI;
import java.util.List;
import org.eclipse.microprofile.jwt.JsonWebToken;

/** Who looks at the page. */
@Path("/api/session")
class SessionResource {

    /** Those whom the simulated provider shows on its page. */
    private static final List<String> PEOPLE = List.of("ann", "bob", "carl", "olga");

    private static final String CUSTOMER = "customer";
    private final CurrentIdentityAssociation identity;
    private final boolean demo;
    private final String traces;

    SessionResource(CurrentIdentityAssociation identity, ConsoleConfig config) {
        this.identity = identity;
        this.demo = config.state().isPresent();
        this.traces = config.traces().map(URI::toString).orElse(null);
    }

    /**
     * @param customerId absent for who is no customer
     * @param traces where a trace is found, with its id behind it; absent without a trace server
     */
    record Session(
            String name, List<String> roles, String customerId, boolean demo, List<String> people, String traces) {}

    @GET
    @Produces(MediaType.APPLICATION_JSON)
    @PermitAll
    public Uni<Session> session() {
        // A session that is over is none.
        return identity.getDeferredIdentity().map(this::session).onFailure().recoverWithItem(() -> session(null));
    }

    private Session session(SecurityIdentity of) {
        if (of == null || of.isAnonymous()) {
            return new Session(null, List.of(), null, demo, PEOPLE, traces);
        }
        var roles = of.getRoles().stream().sorted(naturalOrder()).toList();
        var subject = of.getPrincipal().getName();
        var customer = roles.contains(CUSTOMER) ? subject : null;
        return new Session(name(of, subject), roles, customer, demo, PEOPLE, traces);
    }

    private static String name(SecurityIdentity identity, String subject) {
        return identity.getPrincipal() instanceof JsonWebToken token
                        && token.getClaim("preferred_username") instanceof String name
                ? name
                : subject;
    }
}
