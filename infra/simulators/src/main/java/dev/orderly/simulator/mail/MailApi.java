package dev.orderly.simulator.mail;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.orderly.simulator.http.JsonServer;
import dev.orderly.simulator.http.JsonServer.Request;
import dev.orderly.simulator.http.JsonServer.Response;
import jakarta.mail.MessagingException;
import jakarta.mail.Session;
import jakarta.mail.internet.MimeMessage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Properties;
import java.util.function.Consumer;
import java.util.regex.Pattern;

/**
 * The mail server's HTTP interface, with the paths and fields of GreenMail's as far as they are used.
 *
 * <pre>
 *   GET  /api/user                   [{"login"}]: recipients, the least recently used first
 *   GET  /api/user/{email}/messages  [{"Message-ID", "subject", "mimeMessage"}]
 *   PUT  /api/fault                  {"seconds": 30}: SMTP accepts connections but replies to none; 0 ends it
 * </pre>
 */
final class MailApi implements AutoCloseable {

    private static final Session NO_TRANSPORT = Session.getInstance(new Properties());
    private static final Pattern MESSAGES = Pattern.compile("GET /api/user/([^/]+)/messages");

    private final Mailboxes mailboxes;
    private final Consumer<Duration> hang;
    private final JsonServer http;

    MailApi(InetAddress host, int port, Mailboxes mailboxes, Consumer<Duration> hang) throws IOException {
        this.mailboxes = mailboxes;
        this.hang = hang;
        http = new JsonServer(new InetSocketAddress(host, port), "", this::respond);
    }

    int port() {
        return http.port();
    }

    @Override
    public void close() {
        http.close();
    }

    private Response respond(Request request) throws IOException {
        var messages = MESSAGES.matcher(request.route());
        if (messages.matches()) {
            var found = mailboxes.messages(messages.group(1));
            return Response.json(200, found.stream().map(MailApi::json).toList());
        }
        return switch (request.route()) {
            case "GET /api/user" ->
                Response.json(
                        200,
                        mailboxes.recipients().stream()
                                .map(recipient -> Map.of("login", recipient))
                                .toList());
            case "PUT /api/fault" -> {
                hang.accept(Duration.ofSeconds(request.json().path("seconds").asInt()));
                yield Response.ok();
            }
            default -> Response.error(404, "there is no " + request.route());
        };
    }

    private static Map<String, Object> json(byte[] message) {
        var json = new LinkedHashMap<String, Object>();
        try {
            var mime = new MimeMessage(NO_TRANSPORT, new ByteArrayInputStream(message));
            json.put("Message-ID", mime.getMessageID());
            json.put("subject", mime.getSubject());
        } catch (MessagingException e) {
            json.put("error", "not a mail: " + e.getMessage());
        }
        json.put("mimeMessage", new String(message, UTF_8));
        return json;
    }
}
