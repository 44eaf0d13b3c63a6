package dev.orderly.events;

import static com.fasterxml.jackson.annotation.JsonProperty.Access.READ_ONLY;
import static java.util.Objects.requireNonNull;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.annotation.JsonPropertyOrder;
import java.time.Instant;
import java.util.UUID;
import java.util.regex.Pattern;

/**
 * Everything that can happen to a customer. These events are the only place where personal data travels, and they have a
 * topic of their own for it, which is compacted: of each customer Kafka keeps the newest event and, in time, no other. So
 * every event tells all there is to know, a reader needs no event before it, and the last one, which has no value, makes
 * Kafka forget the others.
 *
 * <p>Only order-service publishes them. A second writer could publish what a customer was after they were erased.
 */
@JsonPropertyOrder({"id", "status"})
public sealed interface CustomerEvent extends Event {

    /** The customer, and the key of the record. */
    @Override
    UUID id();

    /** What the customer becomes by this event; derived from the type, but on the wire for readers that know no types. */
    @JsonProperty(access = READ_ONLY)
    CustomerStatus status();

    @Override
    default Topic topic() {
        return Topic.CUSTOMERS;
    }

    /** A person, and how to reach them. It says nothing of itself to a log. */
    record Contact(String name, String mail, String phone) {

        /** Nothing that cannot be seen, such as line ends, but the joiners that some scripts need. */
        public static final String NAME =
                "(?=.*\\p{L})[\\p{L}\\p{M}\\p{N}\\p{P}\\p{S}\\p{Zs}\\x{200C}\\x{200D}]{1,200}";

        public static final String NAME_MESSAGE = "must be 1 to 200 printable characters, a letter among them";

        /** As browsers have it for {@code <input type=email>}, within the limits of SMTP, and with a dot in the domain. */
        public static final String MAIL = "(?=.{3,254}$)[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@"
                + "(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\\.)+[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?";

        public static final String MAIL_MESSAGE = "must be a mail address";

        /** <a href="https://www.itu.int/rec/T-REC-E.164">E.164</a>. */
        public static final String PHONE = "\\+[1-9][0-9]{6,14}";

        public static final String PHONE_MESSAGE =
                "must be a phone number in international form, such as +4915112345678";

        private static final Pattern NAMES = Pattern.compile(NAME);
        private static final Pattern MAILS = Pattern.compile(MAIL);
        private static final Pattern PHONES = Pattern.compile(PHONE);

        /** @throws IllegalArgumentException when one of them is none; the message does not repeat it */
        public Contact {
            check("name", name, NAMES, NAME_MESSAGE);
            check("mail", mail, MAILS, MAIL_MESSAGE);
            check("phone", phone, PHONES, PHONE_MESSAGE);
        }

        private static void check(String field, String value, Pattern pattern, String message) {
            if (value == null || !pattern.matcher(value).matches()) {
                throw new IllegalArgumentException(field + " " + message);
            }
        }

        @Override
        public String toString() {
            return "Contact[…]";
        }
    }

    /**
     * A code is to be sent to the phone. The code itself is in no event: who sends it and who checks it derive it from
     * this, see {@link VerificationCodes}.
     */
    record Verification(UUID id, Instant expiresAt) {
        public Verification {
            requireNonNull(id, "id is missing");
            requireNonNull(expiresAt, "expiresAt is missing");
        }
    }

    /** Somebody has given us their contact. */
    record CustomerRegistered(UUID id, Contact contact, Verification verification, Instant occurredAt)
            implements CustomerEvent {
        public CustomerRegistered {
            requireNonNull(id, "id is missing");
            requireNonNull(contact, "contact is missing");
            requireNonNull(verification, "verification is missing");
            requireNonNull(occurredAt, "occurredAt is missing");
        }

        @Override
        public CustomerStatus status() {
            return CustomerStatus.REGISTERED;
        }
    }

    /** They want another code; the one before is void. */
    record CodeRequested(UUID id, Contact contact, Verification verification, Instant occurredAt)
            implements CustomerEvent {
        public CodeRequested {
            requireNonNull(id, "id is missing");
            requireNonNull(contact, "contact is missing");
            requireNonNull(verification, "verification is missing");
            requireNonNull(occurredAt, "occurredAt is missing");
        }

        @Override
        public CustomerStatus status() {
            return CustomerStatus.REGISTERED;
        }
    }

    /** They had the code. */
    record CustomerVerified(UUID id, Contact contact, Instant occurredAt) implements CustomerEvent {
        public CustomerVerified {
            requireNonNull(id, "id is missing");
            requireNonNull(contact, "contact is missing");
            requireNonNull(occurredAt, "occurredAt is missing");
        }

        @Override
        public CustomerStatus status() {
            return CustomerStatus.VERIFIED;
        }
    }

    /** They are to be forgotten, by everybody and for good. On the wire a tombstone: a record without a value. */
    record CustomerErased(UUID id) implements CustomerEvent {
        public CustomerErased {
            requireNonNull(id, "id is missing");
        }

        @Override
        public CustomerStatus status() {
            return CustomerStatus.ERASED;
        }

        @Override
        public boolean erasesKey() {
            return true;
        }
    }
}
