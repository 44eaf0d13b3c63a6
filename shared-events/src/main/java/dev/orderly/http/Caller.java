package dev.orderly.http;

import io.quarkiverse.resteasy.problem.HttpProblem;
import io.quarkus.security.identity.SecurityIdentity;
import jakarta.enterprise.context.ApplicationScoped;
import java.util.Optional;
import java.util.UUID;

/**
 * Who sent the current request, by a token that has been verified. What each role may do is said at each
 * endpoint by {@code @RolesAllowed}; here is whose data.
 */
@ApplicationScoped
public class Caller {

    /** Acts for, and sees, the one customer whose id is the subject of the token. */
    public static final String CUSTOMER = "customer";

    /** Keeps catalogue, stock, deposits and flash sales, and sees all orders. */
    public static final String CLERK = "clerk";

    /** Keeps the system running, and sees everything. */
    public static final String OPERATOR = "operator";

    private final SecurityIdentity identity;

    Caller(SecurityIdentity identity) {
        this.identity = identity;
    }

    /** The subject of the token, which is what an audit records. */
    public String subject() {
        return identity.getPrincipal().getName();
    }

    /** Clerks and operators; theirs are the commands that are audited. */
    public boolean isStaff() {
        return identity.hasRole(CLERK) || identity.hasRole(OPERATOR);
    }

    /**
     * The one customer whose data the caller may see; empty for {@linkplain #isStaff staff}, who see those of
     * all. To be asked at the beginning: where a request goes on later, its scope may have ended.
     */
    public Optional<UUID> onlyCustomer() {
        return isStaff() ? Optional.empty() : Optional.of(ownId());
    }

    /**
     * The one customer for whom the caller may give a command; empty for those of all, which takes the role.
     * Any other role of the {@linkplain #isStaff staff} is not enough: who may see everything may not do
     * everything, and is perhaps a customer, too, to whom the command is open.
     */
    public Optional<UUID> onlyCustomerUnless(String role) {
        return identity.hasRole(role) ? Optional.empty() : Optional.of(ownId());
    }

    /** Whether the caller may see what belongs to a customer. */
    public boolean maySee(UUID customer) {
        return isVisible(customer, onlyCustomer());
    }

    /**
     * Whether a caller may see what belongs to a customer, by what {@link #onlyCustomer} or {@link
     * #onlyCustomerUnless} said of them.
     */
    public static boolean isVisible(UUID customer, Optional<UUID> onlyCustomer) {
        return onlyCustomer.map(own -> own.equals(customer)).orElse(true);
    }

    /**
     * For a command that is never given for another customer, whatever other roles the caller has.
     *
     * @throws HttpProblem 403, when the caller is not this customer
     */
    public void requireCustomer(UUID customer) {
        if (!ownId().equals(customer)) {
            throw Problems.forbidden(
                    "A customer acts for themselves only: customerId must be the subject of the token.");
        }
    }

    private UUID ownId() {
        try {
            return UUID.fromString(subject());
        } catch (IllegalArgumentException _) {
            throw Problems.forbidden("The subject of this token is no customer's id.");
        }
    }
}
