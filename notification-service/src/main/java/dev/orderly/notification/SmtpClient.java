package dev.orderly.notification;

import io.quarkus.runtime.PreventFurtherStepsException;
import io.quarkus.runtime.StartupEvent;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import jakarta.mail.Message.RecipientType;
import jakarta.mail.MessagingException;
import jakarta.mail.Session;
import jakarta.mail.Transport;
import jakarta.mail.internet.AddressException;
import jakarta.mail.internet.MimeMessage;
import java.io.IOException;
import java.time.Clock;
import java.time.Duration;
import java.util.Date;
import java.util.Optional;
import java.util.Properties;
import org.eclipse.angus.mail.smtp.SMTPAddressFailedException;
import org.eclipse.angus.mail.smtp.SMTPSendFailedException;
import org.eclipse.microprofile.config.inject.ConfigProperty;

/**
 * Client of the mail server. All attempts of a message share a Message-ID, by which mail systems deduplicate.
 *
 * <p>Uses Jakarta Mail instead of quarkus-mailer, whose client (Vert.x 4.5) waits for the greeting of a
 * server without a timeout: an attempt against a hanging server never ends, occupies a pooled connection, and
 * is delivered in addition to all its retries when the server recovers.
 */
@ApplicationScoped
class SmtpClient {

    /** Where TLS precedes the dialogue (RFC 8314); elsewhere a server offers it in the dialogue. */
    private static final int TLS_PORT = 465;

    private final Session session;
    private final Optional<String> user;
    private final Optional<String> password;
    private final String from;
    private final String domain;
    private final String customerDomain;
    private final Clock clock;

    SmtpClient(
            @ConfigProperty(name = "orderly.smtp.host") String host,
            @ConfigProperty(name = "orderly.smtp.port") int port,
            @ConfigProperty(name = "orderly.smtp.user") Optional<String> user,
            @ConfigProperty(name = "orderly.smtp.password") Optional<String> password,
            @ConfigProperty(name = "orderly.smtp.timeout") Duration timeout,
            @ConfigProperty(name = "orderly.mail.from") String from,
            @ConfigProperty(name = "orderly.mail.customer-domain") String customerDomain,
            Clock clock) {
        if (user.isPresent() != password.isPresent()) {
            throw new PreventFurtherStepsException("SMTP_USER and SMTP_PASSWORD must be set together", 1);
        }
        this.user = user;
        this.password = password;
        this.from = from;
        this.domain = from.substring(from.indexOf('@') + 1);
        this.customerDomain = customerDomain;
        this.clock = clock;
        var server = new Properties();
        server.setProperty("mail.smtp.host", host);
        server.setProperty("mail.smtp.port", String.valueOf(port));
        server.setProperty("mail.smtp.connectiontimeout", String.valueOf(timeout.toMillis()));
        server.setProperty("mail.smtp.timeout", String.valueOf(timeout.toMillis()));
        server.setProperty("mail.smtp.ssl.enable", String.valueOf(port == TLS_PORT));
        server.setProperty("mail.smtp.starttls.enable", "true"); // if the server offers it
        // A password is never sent in clear text: an attacker on the way could remove the offer of TLS.
        server.setProperty("mail.smtp.starttls.required", String.valueOf(user.isPresent()));
        server.setProperty("mail.smtp.auth", String.valueOf(user.isPresent()));
        // Do not wait for the reply to QUIT.
        server.setProperty("mail.smtp.quitwait", "false");
        // The name in EHLO. By default, each connection resolves it by DNS, without a timeout.
        server.setProperty("mail.smtp.localhost", domain);
        session = Session.getInstance(server);
    }

    /** Makes the one instance, so that a wrong setting shows at the start and not at the first mail. */
    void start(@Observes StartupEvent event) {}

    /** Connects with the first message that is sent over it. */
    Connection connection() {
        return new Connection();
    }

    /** Not thread-safe. */
    final class Connection implements AutoCloseable {

        private Transport transport;
        private IOException connectFailure;

        /**
         * Returns when the mail server has accepted the message.
         *
         * @param recipient null for the customer's alias
         * @throws UndeliverableException when no server could deliver it, or this one never will
         * @throws IOException when the server cannot be reached, rejects the message, or exceeds the timeout
         */
        void send(Message message, String recipient) throws IOException {
            try {
                var mail = mail(message, recipient);
                connect();
                transport.sendMessage(mail, mail.getAllRecipients());
            } catch (AddressException e) {
                throw new UndeliverableException(e.toString(), e);
            } catch (MessagingException e) {
                close(); // the state of the SMTP dialogue is unknown; the next message gets a new connection
                throw isPermanent(e) ? new UndeliverableException(e.toString(), e) : new IOException(e.toString(), e);
            }
        }

        private void connect() throws IOException {
            if (connectFailure != null) {
                throw connectFailure; // one timeout per connection, not one per message
            }
            if (transport != null) {
                return;
            }
            try {
                var connected = session.getTransport("smtp");
                connected.connect(user.orElse(null), password.orElse(null));
                transport = connected;
            } catch (MessagingException e) {
                connectFailure = new IOException(e.toString(), e);
                throw connectFailure;
            }
        }

        @Override
        public void close() {
            if (transport != null) {
                var closing = transport;
                transport = null;
                try {
                    closing.close();
                } catch (MessagingException _) {
                    // A message counts as accepted by its own reply, not by the end of the connection.
                }
            }
        }
    }

    /**
     * Whether the server refused the recipient or the content with a 5xx (RFC 5321, 4.2.1). A 5xx to the
     * login or to the sender is about this service: it applies to all messages until an operator has changed
     * something. After a 4xx, as of greylisting, a later attempt may succeed.
     */
    private static boolean isPermanent(MessagingException failure) {
        for (Exception e = failure; e instanceof MessagingException each; e = each.getNextException()) {
            int code = switch (each) {
                case SMTPAddressFailedException recipient -> recipient.getReturnCode();
                case SMTPSendFailedException command
                when !command.getCommand().startsWith("MAIL") -> command.getReturnCode();
                default -> 0;
            };
            if (code / 100 == 5) {
                return true;
            }
        }
        return false;
    }

    private MimeMessage mail(Message message, String recipient) throws MessagingException {
        var mail = new MimeMessage(session) {
            @Override
            protected void updateMessageID() throws MessagingException {
                setHeader("Message-ID", "<" + message.id() + "@" + domain + ">");
            }
        };
        mail.setFrom(from);
        mail.setRecipients(
                RecipientType.TO, recipient == null ? message.customerId() + "@" + customerDomain : recipient);
        mail.setSentDate(Date.from(clock.instant()));
        mail.setSubject(message.subject(), "UTF-8");
        mail.setText(message.body(), "UTF-8");
        mail.saveChanges();
        return mail;
    }
}
