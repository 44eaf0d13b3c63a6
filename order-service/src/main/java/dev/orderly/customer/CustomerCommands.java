package dev.orderly.customer;

import com.fasterxml.uuid.Generators;
import com.fasterxml.uuid.NoArgGenerator;
import dev.orderly.customer.Customer.Check;
import dev.orderly.events.CustomerEvent;
import dev.orderly.events.CustomerEvent.Contact;
import dev.orderly.events.CustomerStatus;
import dev.orderly.events.VerificationCodes;
import dev.orderly.messaging.Outbox;
import dev.orderly.messaging.OutgoingEvent;
import dev.orderly.messaging.Traceparent;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.transaction.Transactional;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import javax.sql.DataSource;
import org.eclipse.microprofile.config.inject.ConfigProperty;

/**
 * What customers can do about themselves. Each command is one transaction that holds the customer and the event that tells
 * of it; when it returns, both are durable.
 */
@ApplicationScoped
class CustomerCommands {

    /** The idempotency key was used before, for somebody else. */
    static final class KeyReused extends RuntimeException {
        private static final long serialVersionUID = 1L;
    }

    /** Time-ordered, so that new customers are neighbours in every index. */
    private static final NoArgGenerator IDS = Generators.timeBasedEpochRandomGenerator();

    private final DataSource database;
    private final Outbox outbox;
    private final VerificationCodes codes;
    private final Clock clock;

    CustomerCommands(
            DataSource database,
            Outbox outbox,
            @ConfigProperty(name = "orderly.verification.key") String verificationKey,
            Clock clock) {
        this.database = database;
        this.outbox = outbox;
        this.codes = new VerificationCodes(verificationKey);
        this.clock = clock;
    }

    /**
     * Registers a customer and has a code sent to them.
     *
     * @param idempotencyKey a request that is repeated with it gets the customer that its first registered; or null
     * @throws KeyReused when the key was used for another contact
     */
    @Transactional(rollbackOn = SQLException.class) // By itself it would commit after a checked exception.
    UUID register(Contact contact, String idempotencyKey, String traceparent) throws SQLException {
        var id = IDS.generate();
        var before = idempotencyKey == null ? Optional.<UUID>empty() : take(idempotencyKey, id);
        if (before.isPresent()) {
            if (!Customer.<Customer>findById(before.get()).contact().equals(contact)) {
                throw new KeyReused();
            }
            return before.get();
        }
        var verification = UUID.randomUUID();
        var customer = new Customer(id, contact, verification, hashOfCode(id, verification), clock.instant());
        customer.persist();
        publish(customer, customer.registered(), traceparent);
        return id;
    }

    /** What came of the request of another code. */
    sealed interface CodeRequest {
        record Sent() implements CodeRequest {}

        record TooSoon(Duration left) implements CodeRequest {}

        record NotNeeded() implements CodeRequest {}

        record UnknownCustomer() implements CodeRequest {}
    }

    /** Has another code sent, which voids the one before. */
    @Transactional(rollbackOn = SQLException.class)
    CodeRequest requestCode(UUID id, String traceparent) throws SQLException {
        var customer = lockUnlessErased(id);
        if (customer.isEmpty()) {
            return new CodeRequest.UnknownCustomer();
        }
        if (customer.get().status() == CustomerStatus.VERIFIED) {
            return new CodeRequest.NotNeeded();
        }
        var now = clock.instant();
        if (now.isBefore(customer.get().nextCodeAt())) {
            return new CodeRequest.TooSoon(Duration.between(now, customer.get().nextCodeAt()));
        }
        var verification = UUID.randomUUID();
        publish(
                customer.get(),
                customer.get().requestCode(verification, hashOfCode(id, verification), now),
                traceparent);
        return new CodeRequest.Sent();
    }

    /** What came of a try to give the code. */
    record Verification(Check check, int triesLeft) {}

    /** Checks a code, and verifies the customer when it is theirs; empty when there is no such customer. */
    @Transactional(rollbackOn = SQLException.class)
    Optional<Verification> verify(UUID id, String code, String traceparent) throws SQLException {
        var locked = lockUnlessErased(id);
        if (locked.isEmpty()) {
            return Optional.empty();
        }
        var customer = locked.get();
        var now = clock.instant();
        var check = customer.check(codes.hash(id, customer.verification(), code), now);
        if (check == Check.RIGHT) {
            var verified = customer.verify(now);
            if (verified.isPresent()) {
                publish(customer, verified.get(), traceparent);
            }
        }
        return Optional.of(new Verification(check, customer.triesLeft()));
    }

    /** Forgets a customer here, and lets everybody else know that they have to; false when there never was one. */
    @Transactional(rollbackOn = SQLException.class)
    boolean erase(UUID id, String traceparent) throws SQLException {
        var customer = Customer.lock(id);
        if (customer.isEmpty()) {
            return false;
        }
        var erased = customer.get().erase(clock.instant());
        if (erased.isPresent()) {
            giveBackKeys(id);
            outbox.erase(id);
            publish(customer.get(), erased.get(), traceparent);
        }
        return true;
    }

    /** Publishes the tombstones once more of customers who were erased before a time; returns how many. */
    @Transactional(rollbackOn = SQLException.class)
    int repeatTombstones(Instant time, int limit) throws SQLException {
        var erased = Customer.lockErasedOnceBefore(time, limit);
        var tombstones = erased.stream()
                .map(customer -> new OutgoingEvent(customer.repeatTombstone(), customer.version()))
                .toList();
        outbox.add(tombstones, _ -> Traceparent.following(null));
        return erased.size();
    }

    private static Optional<Customer> lockUnlessErased(UUID id) {
        return Customer.lock(id).filter(customer -> customer.status() != CustomerStatus.ERASED);
    }

    private byte[] hashOfCode(UUID id, UUID verification) {
        return codes.hash(id, verification, codes.of(id, verification));
    }

    private void publish(Customer customer, CustomerEvent event, String traceparent) throws SQLException {
        outbox.add(List.of(new OutgoingEvent(event, customer.version())), _ -> Traceparent.following(traceparent));
    }

    /** Takes the key for a customer as for an order: while another transaction takes it, this waits for its end. */
    private Optional<UUID> take(String key, UUID id) throws SQLException {
        try (var connection = database.getConnection();
                var insert = connection.prepareStatement(
                        "INSERT INTO registration_key (key, customer_id) VALUES (?, ?) ON CONFLICT DO NOTHING")) {
            insert.setString(1, key);
            insert.setObject(2, id);
            if (insert.executeUpdate() == 1) {
                return Optional.empty();
            }
            try (var select = connection.prepareStatement("SELECT customer_id FROM registration_key WHERE key = ?")) {
                select.setString(1, key);
                try (var row = select.executeQuery()) {
                    row.next();
                    return Optional.of(row.getObject(1, UUID.class));
                }
            }
        }
    }

    /** A key may be anything, a mail address too. */
    private void giveBackKeys(UUID id) throws SQLException {
        try (var connection = database.getConnection();
                var delete = connection.prepareStatement("DELETE FROM registration_key WHERE customer_id = ?")) {
            delete.setObject(1, id);
            delete.executeUpdate();
        }
    }
}
