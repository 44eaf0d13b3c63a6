package dev.orderly.customer;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.orderly.database.Rows;
import dev.orderly.events.CustomerEvent.Contact;
import jakarta.enterprise.context.ApplicationScoped;
import java.net.InetAddress;
import java.security.GeneralSecurityException;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import javax.sql.DataSource;
import org.eclipse.microprofile.config.inject.ConfigProperty;

/**
 * Limits the messages that clients make us send, at our expense and to addresses that they name, by
 * registrations and requests of codes. Three limits: by phone and mail address, in the database, so that all
 * instances agree and another registration does not begin at zero; by client; and by instance, which bounds
 * what an attacker costs who has many phone numbers and many addresses.
 */
@ApplicationScoped
class MessageLimits {

    /** To a phone or a mail address in a day, which begins with the first. */
    static final int MAX_MESSAGES = 5;

    private static final Duration WINDOW = Duration.ofMinutes(1);
    private static final String ALGORITHM = "HmacSHA256";

    /** Of an IPv6 address: a client has all the addresses of its network. */
    private static final int NETWORK_BYTES = 8;

    // Sorted, so that two registrations wait for each other instead of deadlocking.
    private static final String COUNT = """
            INSERT INTO message_count AS counted (:columns) SELECT :columns FROM :rows ORDER BY destination
            ON CONFLICT (destination) DO UPDATE
            SET since = CASE WHEN counted.since <= now() - interval '1 day' THEN now() ELSE counted.since END,
                messages = CASE WHEN counted.since <= now() - interval '1 day' THEN 1 ELSE counted.messages + 1 END
            RETURNING messages, extract(epoch FROM counted.since + interval '1 day' - now())::bigint
            """;

    private final DataSource database;
    private final Clock clock;
    private final SecretKeySpec key;
    private final int maxPerClient;
    private final int maxPerInstance;

    private final Map<String, Integer> perClient = new HashMap<>();
    private int inAll;
    private Instant windowStart = Instant.EPOCH;

    MessageLimits(
            DataSource database,
            Clock clock,
            @ConfigProperty(name = "orderly.verification.key") List<String> verificationKeys,
            @ConfigProperty(name = "orderly.registration.max-per-client") int maxPerClient,
            @ConfigProperty(name = "orderly.registration.max-per-instance") int maxPerInstance) {
        this.database = database;
        this.clock = clock;
        this.key = new SecretKeySpec(verificationKeys.getFirst().getBytes(UTF_8), ALGORITHM);
        this.maxPerClient = maxPerClient;
        this.maxPerInstance = maxPerInstance;
    }

    /** A limit is reached: nothing may be sent. Its message is for the client. */
    static final class TooManyMessages extends RuntimeException {
        private static final long serialVersionUID = 1L;

        private final transient Duration retryAfter;

        private TooManyMessages(String message, Duration retryAfter) {
            super(message);
            this.retryAfter = retryAfter;
        }

        Duration retryAfter() {
            return retryAfter;
        }
    }

    /**
     * Counts the messages of a registration, if and when the current transaction commits.
     *
     * @param client its IP address
     * @throws TooManyMessages when a limit is reached
     */
    void countRegistration(Contact contact, String client) throws SQLException {
        countRequest(client);
        countMessages(List.of(hash("phone", contact.phone()), hash("mail", mailbox(contact.mail()))));
    }

    /** The same for the message with another code. */
    void countCode(Contact contact, String client) throws SQLException {
        countRequest(client);
        countMessages(List.of(hash("phone", contact.phone())));
    }

    private synchronized void countRequest(String client) {
        var now = clock.instant();
        if (Duration.between(windowStart, now).abs().compareTo(WINDOW) >= 0) {
            windowStart = now;
            inAll = 0;
            perClient.clear();
        }
        var ofClient = perClient.getOrDefault(network(client), 0);
        if (inAll >= maxPerInstance || ofClient >= maxPerClient) {
            throw new TooManyMessages(
                    "Too many registrations and codes were requested.",
                    Duration.between(now, windowStart.plus(WINDOW)));
        }
        inAll++;
        perClient.put(network(client), ofClient + 1); // no more entries than requests of one window
    }

    private static String network(String client) {
        var bytes = InetAddress.ofLiteral(client).getAddress();
        return HexFormat.of().formatHex(bytes, 0, Math.min(bytes.length, NETWORK_BYTES));
    }

    private void countMessages(List<byte[]> destinations) throws SQLException {
        try (var connection = database.getConnection();
                var upsert =
                        Rows.of(destinations).bytea("destination", hash -> hash).prepare(connection, COUNT)) {
            try (var rows = upsert.executeQuery()) {
                while (rows.next()) {
                    if (rows.getInt(1) > MAX_MESSAGES) {
                        throw new TooManyMessages(
                                "Too many messages were requested to this phone or mail address.",
                                Duration.ofSeconds(rows.getLong(2)));
                    }
                }
            }
        }
    }

    /** Servers know a mailbox under many names: in any case of letters, and with any tag behind a plus. */
    private static String mailbox(String mail) {
        var at = mail.lastIndexOf('@');
        var tag = mail.indexOf('+', 1);
        var name = mail.substring(0, tag > 0 && tag < at ? tag : at);
        return (name + mail.substring(at)).toLowerCase(Locale.ROOT);
    }

    /** Keyed, since all phone numbers can be tried out, and the row outlives an erasure for a day or two. */
    private byte[] hash(String kind, String destination) {
        try {
            var mac = Mac.getInstance(ALGORITHM);
            mac.init(key);
            return mac.doFinal((kind + '/' + destination).getBytes(UTF_8));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every Java has " + ALGORITHM, e);
        }
    }
}
