package dev.orderly.events;

import static com.fasterxml.jackson.annotation.JsonProperty.Access.READ_ONLY;
import static dev.orderly.events.RequiredFields.require;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.annotation.JsonPropertyOrder;
import java.time.Instant;
import java.util.UUID;
import java.util.regex.Pattern;

/**
 * Everything that can happen to a customer. These events are the only place where personal data travels. They
 * have a topic of their own, which is compacted: of each customer Kafka keeps the newest event and, in time,
 * no other. So every event carries the whole state, and a reader needs no event before it; and a tombstone
 * makes Kafka delete the others.
 *
 * <p>Only order-service publishes them. A second writer could publish the state of a customer after their
 * erasure.
 */
@JsonPropertyOrder({"id", "status"})
public sealed interface CustomerEvent extends Event {

    /** The customer, and the key of the record. */
    @Override
    UUID id();

    /** The status that the event puts the customer in; on the wire for readers that do not know the type. */
    @JsonProperty(access = READ_ONLY)
    default CustomerStatus status() {
        return switch (this) {
            case CustomerRegistered _, CodeRequested _ -> CustomerStatus.REGISTERED;
            case CustomerVerified _ -> CustomerStatus.VERIFIED;
            case CustomerErased _ -> CustomerStatus.ERASED;
        };
    }

    @Override
    default Topic topic() {
        return Topic.CUSTOMERS;
    }

    /** A person and their addresses. It prints nothing of them, so that no log has them. */
    record Contact(String name, String mail, String phone) {

        /** No invisible characters, such as line ends, but the joiners that some scripts need. */
        public static final String NAME =
                "(?=.*\\p{L})[\\p{L}\\p{M}\\p{N}\\p{P}\\p{S}\\p{Zs}\\x{200C}\\x{200D}]{1,200}";

        public static final String NAME_MESSAGE = "must be 1 to 200 printable characters, a letter among them";

        private static final String ATOM = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+";
        private static final String LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?";
        private static final String DOMAIN = "(?:" + LABEL + "\\.)+" + LABEL;

        /**
         * A Dot-string of SMTP (<a href="https://www.rfc-editor.org/rfc/rfc5321#section-4.1.2">RFC 5321</a>)
         * within its limits, and with a dot in the domain: what mail libraries take.
         */
        public static final String MAIL = "(?=.{3,254}$)(?=[^@]{1,64}@)" + ATOM + "(?:\\." + ATOM + ")*@" + DOMAIN;

        public static final String MAIL_MESSAGE = "must be a mail address";

        /** <a href="https://www.itu.int/rec/T-REC-E.164">E.164</a>. */
        public static final String PHONE = "\\+[1-9][0-9]{6,14}";

        public static final String PHONE_MESSAGE =
                "must be a phone number in international form, such as +4915112345678";

        private static final Pattern NAMES = Pattern.compile(NAME);
        /** Dots anywhere, as were taken once: events and customers of that time must stay readable. */
        private static final Pattern MAILS =
                Pattern.compile("(?=.{3,254}$)[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@" + DOMAIN);

        private static final Pattern PHONES = Pattern.compile(PHONE);

        /** @throws IllegalArgumentException when one of them is invalid; the message does not repeat it */
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
     * A code is to be sent to the phone. The code itself is in no event: sender and checker derive it from
     * this, see {@link VerificationCodes}.
     */
    record Verification(UUID id, Instant expiresAt) {
        public Verification {
            require("id", id, "expiresAt", expiresAt);
        }
    }

    /** A customer has registered with their contact. */
    record CustomerRegistered(UUID id, Contact contact, Verification verification, Instant occurredAt)
            implements CustomerEvent {
        public CustomerRegistered {
            require("id", id, "contact", contact, "verification", verification, "occurredAt", occurredAt);
        }
    }

    /** The customer has requested another code; the one before is void. */
    record CodeRequested(UUID id, Contact contact, Verification verification, Instant occurredAt)
            implements CustomerEvent {
        public CodeRequested {
            require("id", id, "contact", contact, "verification", verification, "occurredAt", occurredAt);
        }
    }

    /** The customer has entered the code. */
    record CustomerVerified(UUID id, Contact contact, Instant occurredAt) implements CustomerEvent {
        public CustomerVerified {
            require("id", id, "contact", contact, "occurredAt", occurredAt);
        }
    }

    /** The customer is to be erased, by all services. */
    record CustomerErased(UUID id) implements CustomerEvent {
        public CustomerErased {
            require("id", id);
        }

        @Override
        public boolean erasesKey() {
            return true;
        }
    }
}
