package dev.orderly.customer;

import dev.orderly.customer.Customer.CodeCheck;
import dev.orderly.database.Atomic;
import dev.orderly.database.UuidV7;
import dev.orderly.events.CustomerEvent;
import dev.orderly.events.CustomerEvent.Contact;
import dev.orderly.events.CustomerStatus;
import dev.orderly.events.VerificationCodes;
import dev.orderly.http.CommandAudit;
import dev.orderly.http.IdempotencyKey;
import dev.orderly.messaging.Outbox;
import dev.orderly.messaging.OutgoingEvent;
import jakarta.enterprise.context.ApplicationScoped;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import javax.sql.DataSource;
import org.eclipse.microprofile.config.inject.ConfigProperty;

/** Each command is one transaction that holds the customer and the event; both are durable on return. */
@ApplicationScoped
class CustomerCommands {

    private final DataSource database;
    private final Outbox outbox;
    private final VerificationCodes codes;
    private final MessageLimits limits;
    private final CommandAudit audit;
    private final Clock clock;

    CustomerCommands(
            DataSource database,
            Outbox outbox,
            @ConfigProperty(name = "orderly.verification.key") List<String> verificationKeys,
            MessageLimits limits,
            CommandAudit audit,
            Clock clock) {
        this.database = database;
        this.outbox = outbox;
        this.codes = new VerificationCodes(verificationKeys);
        this.limits = limits;
        this.audit = audit;
        this.clock = clock;
    }

    /**
     * Registers a customer; the event makes notification-service send the code.
     *
     * @param idempotencyKey a request repeated with it gets the customer that the first one registered; or
     *     null
     * @param client its IP address
     * @return empty when the key was used for another contact
     * @throws MessageLimits.TooManyMessages when a limit is reached
     */
    @Atomic
    Optional<UUID> register(Contact contact, String idempotencyKey, String client, String traceparent)
            throws SQLException {
        var id = UuidV7.next();
        var earlier = idempotencyKey == null ? Optional.<UUID>empty() : claimKey(idempotencyKey, id);
        if (earlier.isPresent()) {
            return earlier.filter(
                    existing -> Customer.<Customer>findById(existing).contact().equals(contact));
        }
        limits.countRegistration(contact, client);
        var verification = UUID.randomUUID();
        var customer = new Customer(id, contact, verification, codes.hash(id, verification), clock.instant());
        customer.persist();
        publish(customer, customer.registered(), traceparent);
        return Optional.of(id);
    }

    sealed interface CodeRequestResult {
        record Sent() implements CodeRequestResult {}

        record TooSoon(Duration left) implements CodeRequestResult {}

        record NotNeeded() implements CodeRequestResult {}

        record UnknownCustomer() implements CodeRequestResult {}
    }

    /**
     * Publishes that another code is to be sent, which voids the one before.
     *
     * @param client its IP address
     * @throws MessageLimits.TooManyMessages when a limit is reached
     */
    @Atomic
    CodeRequestResult requestCode(UUID id, String client, String traceparent) throws SQLException {
        var customer = lockUnlessErased(id);
        if (customer.isEmpty()) {
            return new CodeRequestResult.UnknownCustomer();
        }
        if (customer.get().status() == CustomerStatus.VERIFIED) {
            return new CodeRequestResult.NotNeeded();
        }
        var now = clock.instant();
        if (now.isBefore(customer.get().nextCodeAt())) {
            return new CodeRequestResult.TooSoon(
                    Duration.between(now, customer.get().nextCodeAt()));
        }
        limits.countCode(customer.get().contact(), client);
        var verification = UUID.randomUUID();
        publish(
                customer.get(),
                customer.get().requestCode(verification, codes.hash(id, verification), now),
                traceparent);
        return new CodeRequestResult.Sent();
    }

    record VerificationResult(CodeCheck check, int triesLeft) {}

    /** Checks a code, and verifies the customer if it is right; empty when there is no such customer. */
    @Atomic
    Optional<VerificationResult> verify(UUID id, String code, String traceparent) throws SQLException {
        var locked = lockUnlessErased(id);
        if (locked.isEmpty()) {
            return Optional.empty();
        }
        var customer = locked.get();
        var now = clock.instant();
        var check = customer.check(codes.isRight(id, customer.verification(), code), now);
        if (check == CodeCheck.RIGHT) {
            var verified = customer.verify(now);
            if (verified.isPresent()) {
                publish(customer, verified.get(), traceparent);
            }
        }
        return Optional.of(new VerificationResult(check, customer.triesLeft()));
    }

    /** Erases a customer here, and by a tombstone everywhere else; false when no such customer ever was. */
    @Atomic
    boolean erase(UUID id, String traceparent) throws SQLException {
        var customer = Customer.lock(id);
        if (customer.isEmpty()) {
            return false;
        }
        if (erase(customer.get(), traceparent)) {
            audit.add("erase", "customer " + id);
        }
        return true;
    }

    /** Erases customers who have not been verified since a time; returns how many. */
    @Atomic
    int eraseUnverified(Instant time, int limit) throws SQLException {
        var unverified = Customer.lockUnverifiedSince(time, limit);
        for (var customer : unverified) {
            erase(customer, null);
        }
        return unverified.size();
    }

    /** False when the customer was erased before. */
    private boolean erase(Customer customer, String traceparent) throws SQLException {
        var erased = customer.erase(clock.instant());
        if (erased.isPresent()) {
            releaseKeys(customer.id());
            outbox.erase(customer.id());
            publish(customer, erased.get(), traceparent);
        }
        return erased.isPresent();
    }

    /** Publishes a second time the tombstones of customers erased before a time; returns how many. */
    @Atomic
    int republishTombstones(Instant time, int limit) throws SQLException {
        var erased = Customer.lockTombstonesBefore(time, limit);
        var tombstones = erased.stream()
                .map(customer -> new OutgoingEvent(customer.republishTombstone(), customer.version()))
                .toList();
        outbox.add(tombstones, _ -> null);
        return erased.size();
    }

    private static Optional<Customer> lockUnlessErased(UUID id) {
        return Customer.lock(id).filter(customer -> customer.status() != CustomerStatus.ERASED);
    }

    private void publish(Customer customer, CustomerEvent event, String traceparent) throws SQLException {
        outbox.add(List.of(new OutgoingEvent(event, customer.version())), _ -> traceparent);
    }

    /** Claims the key; or returns the customer who has it, after the transaction that claims it too. */
    private Optional<UUID> claimKey(String key, UUID id) throws SQLException {
        try (var connection = database.getConnection();
                var insert = connection.prepareStatement(
                        "INSERT INTO registration_key (key_hash, customer_id) VALUES (?, ?) ON CONFLICT DO NOTHING")) {
            insert.setBytes(1, IdempotencyKey.hash(key));
            insert.setObject(2, id);
            if (insert.executeUpdate() == 1) {
                return Optional.empty();
            }
            try (var select =
                    connection.prepareStatement("SELECT customer_id FROM registration_key WHERE key_hash = ?")) {
                select.setBytes(1, IdempotencyKey.hash(key));
                try (var row = select.executeQuery()) {
                    row.next();
                    return Optional.of(row.getObject(1, UUID.class));
                }
            }
        }
    }

    private void releaseKeys(UUID id) throws SQLException {
        try (var connection = database.getConnection();
                var delete = connection.prepareStatement("DELETE FROM registration_key WHERE customer_id = ?")) {
            delete.setObject(1, id);
            delete.executeUpdate();
        }
    }
}
