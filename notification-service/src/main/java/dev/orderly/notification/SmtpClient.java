package dev.orderly.notification;

import jakarta.enterprise.context.ApplicationScoped;
import jakarta.mail.Message.RecipientType;
import jakarta.mail.MessagingException;
import jakarta.mail.Session;
import jakarta.mail.Transport;
import jakarta.mail.internet.MimeMessage;
import java.io.IOException;
import java.time.Clock;
import java.time.Duration;
import java.util.Date;
import java.util.Properties;
import org.eclipse.microprofile.config.inject.ConfigProperty;

/**
 * The mail server. A letter has the same Message-ID however often it is sent, by which mail systems recognize a copy.
 *
 * <p>By Jakarta Mail and not by quarkus-mailer: that one's client (Vert.x 4.5) waits for the greeting of a server without
 * any limit, so an attempt against a server that hangs never ends, keeps its connection of the pool, and is delivered in
 * the end beside all those that were made after it.
 */
@ApplicationScoped
class SmtpClient {

    private final Session session;
    private final String from;
    private final String domain;
    private final String customerDomain;
    private final Clock clock;

    SmtpClient(
            @ConfigProperty(name = "orderly.smtp.host") String host,
            @ConfigProperty(name = "orderly.smtp.port") int port,
            @ConfigProperty(name = "orderly.smtp.timeout") Duration timeout,
            @ConfigProperty(name = "orderly.mail.from") String from,
            @ConfigProperty(name = "orderly.mail.customer-domain") String customerDomain,
            Clock clock) {
        this.from = from;
        this.domain = from.substring(from.indexOf('@') + 1);
        this.customerDomain = customerDomain;
        this.clock = clock;
        var server = new Properties();
        server.setProperty("mail.smtp.host", host);
        server.setProperty("mail.smtp.port", String.valueOf(port));
        server.setProperty("mail.smtp.connectiontimeout", String.valueOf(timeout.toMillis()));
        server.setProperty("mail.smtp.timeout", String.valueOf(timeout.toMillis()));
        server.setProperty("mail.smtp.starttls.enable", "true"); // where it is offered
        // The answer to our goodbye is of no interest.
        server.setProperty("mail.smtp.quitwait", "false");
        // How we greet the server. The default asks the DNS for it, each time, for as long as that takes.
        server.setProperty("mail.smtp.localhost", domain);
        session = Session.getInstance(server);
    }

    /** For letters one after the other; the server is first asked for the first of them. */
    Connection connection() {
        return new Connection();
    }

    /** Of one thread. */
    final class Connection implements AutoCloseable {

        private Transport transport;
        private IOException unreachable;

        /**
         * Returns when the mail server has taken the letter over, for this address, or for the customer's alias when it is
         * null.
         *
         * @throws IOException when the server cannot be reached, or refuses, or its answer does not come; says what the mail
         *     client did
         */
        void send(Message letter, String to) throws IOException {
            connect();
            try {
                var message = message(letter, to);
                transport.sendMessage(message, message.getAllRecipients());
            } catch (MessagingException e) {
                close(); // so that the next letter cannot fail by what happened to this one
                throw new IOException(e.toString(), e);
            }
        }

        private void connect() throws IOException {
            if (unreachable != null) {
                throw unreachable; // to wait for it once is enough
            }
            if (transport != null) {
                return;
            }
            try {
                var fresh = session.getTransport("smtp");
                fresh.connect();
                transport = fresh;
            } catch (MessagingException e) {
                unreachable = new IOException(e.toString(), e);
                throw unreachable;
            }
        }

        @Override
        public void close() {
            if (transport != null) {
                var used = transport;
                transport = null;
                try {
                    used.close();
                } catch (MessagingException _) {
                    // It was broken; what it has taken over, it has said.
                }
            }
        }
    }

    private MimeMessage message(Message letter, String to) throws MessagingException {
        var message = new MimeMessage(session) {
            @Override
            protected void updateMessageID() throws MessagingException {
                setHeader("Message-ID", "<" + letter.id() + "@" + domain + ">");
            }
        };
        message.setFrom(from);
        message.setRecipients(RecipientType.TO, to == null ? letter.customerId() + "@" + customerDomain : to);
        message.setSentDate(Date.from(clock.instant()));
        message.setSubject(letter.subject(), "UTF-8");
        message.setText(letter.body(), "UTF-8");
        message.saveChanges();
        return message;
    }
}
