package dev.orderly.simulator.mail;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executors;
import org.subethamail.smtp.MessageHandler;
import org.subethamail.smtp.RejectException;
import org.subethamail.smtp.server.SMTPServer;
import org.subethamail.smtp.server.Session;
import org.subethamail.smtp.server.SessionHandler;

/**
 * Accepts mail for any recipient by SMTP, without authentication or TLS, and stores it in {@link Mailboxes}.
 * A message is there before its client gets the reply, so a test that has seen it as sent need not wait for
 * it.
 */
public final class MailServer implements AutoCloseable {

    private static final int MAX_MESSAGE_BYTES = 256 * 1024;

    private final Mailboxes mailboxes = new Mailboxes(Mailboxes.MAX_MAILBOXES, Mailboxes.MAX_BYTES);
    private final SMTPServer smtp;
    private final MailApi api;
    private long hangEnd = System.nanoTime();

    /** Starts both interfaces; a port of 0 is any that is free. */
    public MailServer(InetAddress host, int smtpPort, int apiPort) throws IOException {
        smtp = SMTPServer.port(smtpPort)
                .bindAddress(host)
                .hostName("localhost") // the default is resolved by DNS
                .softwareName("mail simulator")
                .executorService(Executors.newVirtualThreadPerTaskExecutor())
                .maxMessageSize(MAX_MESSAGE_BYTES)
                .insertReceivedHeaders(false)
                .sessionHandler(new Admission())
                .messageHandlerFactory(_ -> new Reception())
                .build();
        smtp.start();
        api = new MailApi(host, apiPort, mailboxes, this::hang);
    }

    int smtpPort() {
        return smtp.getPortAllocated();
    }

    int apiPort() {
        return api.port();
    }

    /**
     * Accepts connections but replies to none, for so long. It affects new sessions and the next message of
     * open ones. A message whose transfer has begun is accepted, so that no client has to guess whether it
     * was.
     */
    private synchronized void hang(Duration duration) {
        hangEnd = System.nanoTime() + duration.toNanos();
        notifyAll();
    }

    private synchronized void awaitEndOfHang() {
        try {
            for (var left = hangEnd - System.nanoTime(); left > 0; left = hangEnd - System.nanoTime()) {
                wait(Math.ceilDiv(left, 1_000_000L)); // rounded up: 0 would never time out
            }
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void close() {
        hang(Duration.ZERO); // otherwise its sessions would block the stop
        smtp.stop();
        api.close();
    }

    private final class Admission implements SessionHandler {

        @Override
        public SessionAcceptance accept(Session session) {
            awaitEndOfHang();
            return SessionAcceptance.success();
        }

        @Override
        public void onSessionEnd(Session session) {}
    }

    /** Of one message. */
    private final class Reception implements MessageHandler {

        private final List<String> recipients = new ArrayList<>();

        @Override
        public void from(String sender) {
            awaitEndOfHang();
        }

        @Override
        public void recipient(String recipient) {
            recipients.add(recipient);
        }

        @Override
        public String data(InputStream data) throws RejectException, IOException {
            var source = data.readNBytes(MAX_MESSAGE_BYTES + 1);
            if (source.length > MAX_MESSAGE_BYTES) {
                data.transferTo(OutputStream.nullOutputStream());
                throw new RejectException(552, "a message has at most " + MAX_MESSAGE_BYTES + " bytes");
            }
            recipients.forEach(recipient -> mailboxes.add(recipient, source));
            return null;
        }

        @Override
        public void done() {}
    }
}
