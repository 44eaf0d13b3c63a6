package dev.orderly.customer;

import dev.orderly.events.CustomerEvent.CodeRequested;
import dev.orderly.events.CustomerEvent.Contact;
import dev.orderly.events.CustomerEvent.CustomerErased;
import dev.orderly.events.CustomerEvent.CustomerRegistered;
import dev.orderly.events.CustomerEvent.CustomerVerified;
import dev.orderly.events.CustomerEvent.Verification;
import dev.orderly.events.CustomerStatus;
import io.quarkus.hibernate.orm.panache.PanacheEntityBase;
import jakarta.persistence.Entity;
import jakarta.persistence.EnumType;
import jakarta.persistence.Enumerated;
import jakarta.persistence.Id;
import jakarta.persistence.LockModeType;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.hibernate.Timeouts;

/**
 * A customer, the newest verification code, and how often it was tried. Every event takes the next version,
 * under the lock of the row. The row of an erased customer stays, without personal data.
 */
@Entity
public class Customer extends PanacheEntityBase {

    /** From the request of a code, however late its SMS arrives. */
    static final Duration CODE_LIFETIME = Duration.ofMinutes(10);

    /** For one code, void then. With {@link #MAX_CODES} that allows 25 guesses in a million a day. */
    static final int MAX_TRIES = 5;

    static final Duration MIN_CODE_INTERVAL = Duration.ofMinutes(1);

    /** Within {@link #CODES_PERIOD}. */
    static final int MAX_CODES = 5;

    static final Duration CODES_PERIOD = Duration.ofDays(1);

    @Id
    private UUID id;

    @Enumerated(EnumType.STRING)
    private CustomerStatus status;

    private String name;
    private String mail;
    private String phone;

    private UUID verification;

    /** For an instance of the version before, beside this one: it compares codes by it. */
    private byte[] codeHash;

    private Instant codeSentAt;
    private int triesLeft;
    private int codes;
    private Instant codesSince;

    private Instant erasedAt;
    private boolean tombstoneRepublished;

    private int version;

    /** For Hibernate. */
    protected Customer() {}

    /** A new customer: version 1, with the first code. */
    public Customer(UUID id, Contact contact, UUID verification, byte[] codeHash, Instant now) {
        this.id = id;
        this.status = CustomerStatus.REGISTERED;
        this.name = contact.name();
        this.mail = contact.mail();
        this.phone = contact.phone();
        this.version = 1;
        sendCode(verification, codeHash, now);
    }

    /** Locked until the transaction ends; empty when no such customer ever was. */
    static Optional<Customer> lock(UUID id) {
        return Customer.<Customer>findByIdOptional(id, LockModeType.PESSIMISTIC_WRITE);
    }

    /** Erased before a time, tombstone not republished; locked, rows locked elsewhere are skipped. */
    static List<Customer> lockTombstonesBefore(Instant time, int limit) {
        return Customer.<Customer>find(
                        "erasedAt < ?1 and tombstoneRepublished = false"
                                + " and status = dev.orderly.events.CustomerStatus.ERASED",
                        time)
                .page(0, limit)
                .withLock(LockModeType.PESSIMISTIC_WRITE)
                .withHint("jakarta.persistence.lock.timeout", Timeouts.SKIP_LOCKED_MILLI)
                .list();
    }

    /** Not verified, the last code sent before a time; locked, rows locked elsewhere are skipped. */
    static List<Customer> lockUnverifiedSince(Instant time, int limit) {
        return Customer.<Customer>find(
                        "codeSentAt < ?1 and status = dev.orderly.events.CustomerStatus.REGISTERED", time)
                .page(0, limit)
                .withLock(LockModeType.PESSIMISTIC_WRITE)
                .withHint("jakarta.persistence.lock.timeout", Timeouts.SKIP_LOCKED_MILLI)
                .list();
    }

    public CustomerRegistered registered() {
        return new CustomerRegistered(id, contact(), pending(), codeSentAt);
    }

    /** When another code may be sent. */
    public Instant nextCodeAt() {
        var afterInterval = codeSentAt.plus(MIN_CODE_INTERVAL);
        var nextPeriod = codesSince.plus(CODES_PERIOD);
        return codes < MAX_CODES || nextPeriod.isBefore(afterInterval) ? afterInterval : nextPeriod;
    }

    /**
     * Records that another code is sent, which voids the one before.
     *
     * @throws IllegalStateException when it is too early, or the customer is verified or erased
     */
    public CodeRequested requestCode(UUID newVerification, byte[] newCodeHash, Instant now) {
        if (status != CustomerStatus.REGISTERED || now.isBefore(nextCodeAt())) {
            throw new IllegalStateException("no code may be sent to customer " + id);
        }
        sendCode(newVerification, newCodeHash, now);
        version++;
        return new CodeRequested(id, contact(), pending(), now);
    }

    private void sendCode(UUID newVerification, byte[] newCodeHash, Instant now) {
        verification = newVerification;
        codeHash = newCodeHash;
        codeSentAt = now;
        triesLeft = MAX_TRIES;
        if (codesSince == null || !now.isBefore(codesSince.plus(CODES_PERIOD))) {
            codesSince = now;
            codes = 0;
        }
        codes++;
    }

    private Verification pending() {
        return new Verification(verification, codeSentAt.plus(CODE_LIFETIME));
    }

    /** The result of a try; whether the code was right shows only in time and within {@link #MAX_TRIES}. */
    public enum CodeCheck {
        RIGHT,
        WRONG,
        EXPIRED,
        USED_UP
    }

    /** Counts a try. The right code stays right after verification: the answer may have been lost. */
    public CodeCheck check(boolean right, Instant now) {
        if (status == CustomerStatus.REGISTERED) {
            if (!now.isBefore(codeSentAt.plus(CODE_LIFETIME))) {
                return CodeCheck.EXPIRED;
            }
            if (triesLeft == 0) {
                return CodeCheck.USED_UP;
            }
            triesLeft--;
        }
        return right ? CodeCheck.RIGHT : CodeCheck.WRONG;
    }

    /** Verifies the customer; empty when that is done. */
    public Optional<CustomerVerified> verify(Instant now) {
        if (status != CustomerStatus.REGISTERED) {
            return Optional.empty();
        }
        status = CustomerStatus.VERIFIED;
        version++;
        return Optional.of(new CustomerVerified(id, contact(), now));
    }

    /** Erases the personal data; empty when that is done. */
    public Optional<CustomerErased> erase(Instant now) {
        if (status == CustomerStatus.ERASED) {
            return Optional.empty();
        }
        status = CustomerStatus.ERASED;
        name = null;
        mail = null;
        phone = null;
        verification = null;
        codeHash = null;
        erasedAt = now;
        version++;
        return Optional.of(new CustomerErased(id));
    }

    /** The same tombstone under the same version, see {@link TombstoneRepublisher}. */
    public CustomerErased republishTombstone() {
        tombstoneRepublished = true;
        return new CustomerErased(id);
    }

    public UUID id() {
        return id;
    }

    public CustomerStatus status() {
        return status;
    }

    /** @throws IllegalArgumentException when the customer is erased */
    public Contact contact() {
        return new Contact(name, mail, phone);
    }

    /** The verification that the newest code is for; null when the customer is erased. */
    public UUID verification() {
        return verification;
    }

    public int triesLeft() {
        return triesLeft;
    }

    /** The version of the last event that was published about the customer. */
    public int version() {
        return version;
    }
}
