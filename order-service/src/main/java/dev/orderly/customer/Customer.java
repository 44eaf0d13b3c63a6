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
import java.security.MessageDigest;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.hibernate.Timeouts;

/**
 * A customer, the newest code that was sent to them, and how often it was tried. Everything that happens to them takes the
 * next version, under the lock of their row. Of one who was erased a row is left that says no more than that.
 */
@Entity
public class Customer extends PanacheEntityBase {

    /** From the request of a code, whenever it may arrive. */
    static final Duration CODE_LIFETIME = Duration.ofMinutes(10);

    /** Of one code, after which it is void. With {@link #MAX_CODES} that makes 25 guesses among a million a day. */
    static final int MAX_TRIES = 5;

    /** Between two codes. */
    static final Duration CODE_PAUSE = Duration.ofMinutes(1);

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
    private byte[] codeHash;
    private Instant codeSentAt;
    private int triesLeft;
    private int codes;
    private Instant codesSince;

    private Instant erasedAt;
    private boolean tombstoneRepeated;

    private int version;

    /** For Hibernate. */
    protected Customer() {}

    /** A new customer, their first version, with a code under way. */
    public Customer(UUID id, Contact contact, UUID verification, byte[] codeHash, Instant now) {
        this.id = id;
        this.status = CustomerStatus.REGISTERED;
        this.name = contact.name();
        this.mail = contact.mail();
        this.phone = contact.phone();
        this.version = 1;
        sendCode(verification, codeHash, now);
    }

    /** Locked until the transaction ends; empty when there never was one of this id. */
    static Optional<Customer> lock(UUID id) {
        return Customer.<Customer>findByIdOptional(id, LockModeType.PESSIMISTIC_WRITE);
    }

    /** Some who were erased before a time, and whose tombstone was published only once, locked; those locked are left. */
    static List<Customer> lockErasedOnceBefore(Instant time, int limit) {
        return Customer.<Customer>find(
                        "erasedAt < ?1 and tombstoneRepeated = false and status = dev.orderly.events.CustomerStatus.ERASED",
                        time)
                .page(0, limit)
                .withLock(LockModeType.PESSIMISTIC_WRITE)
                .withHint("jakarta.persistence.lock.timeout", Timeouts.SKIP_LOCKED_MILLI)
                .list();
    }

    public CustomerRegistered registered() {
        return new CustomerRegistered(id, contact(), pending(), codeSentAt);
    }

    /** Until then no other code is sent. */
    public Instant nextCodeAt() {
        var afterPause = codeSentAt.plus(CODE_PAUSE);
        var nextPeriod = codesSince.plus(CODES_PERIOD);
        return codes < MAX_CODES || nextPeriod.isBefore(afterPause) ? afterPause : nextPeriod;
    }

    /**
     * Sends another code, which voids the one before.
     *
     * @throws IllegalStateException before its time, or when they are verified or erased
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

    /** What a try to give the code comes to. */
    public enum Check {
        RIGHT,
        WRONG,
        /** Whatever it was, its time is over. */
        EXPIRED,
        /** Whatever it was, it was tried too often. */
        USED_UP
    }

    /** Counts a try. The right code stays right after it has verified them: its answer may have been lost. */
    public Check check(byte[] hash, Instant now) {
        if (status == CustomerStatus.REGISTERED) {
            if (!now.isBefore(codeSentAt.plus(CODE_LIFETIME))) {
                return Check.EXPIRED;
            }
            if (triesLeft == 0) {
                return Check.USED_UP;
            }
            triesLeft--;
        }
        return MessageDigest.isEqual(hash, codeHash) ? Check.RIGHT : Check.WRONG; // in constant time
    }

    /** They had the code; empty when that is known. */
    public Optional<CustomerVerified> verify(Instant now) {
        if (status != CustomerStatus.REGISTERED) {
            return Optional.empty();
        }
        status = CustomerStatus.VERIFIED;
        version++;
        return Optional.of(new CustomerVerified(id, contact(), now));
    }

    /** Forgets who they are; empty when that is done. */
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

    /** The same tombstone once more, see {@link TombstoneRepublisher}; no new version, since nothing happens by it. */
    public CustomerErased repeatTombstone() {
        tombstoneRepeated = true;
        return new CustomerErased(id);
    }

    public UUID id() {
        return id;
    }

    public CustomerStatus status() {
        return status;
    }

    /** @throws IllegalArgumentException when they are erased */
    public Contact contact() {
        return new Contact(name, mail, phone);
    }

    /** That the newest code belongs to; null when they are erased. */
    public UUID verification() {
        return verification;
    }

    public int triesLeft() {
        return triesLeft;
    }

    /** Of the last event that was published about them. */
    public int version() {
        return version;
    }
}
