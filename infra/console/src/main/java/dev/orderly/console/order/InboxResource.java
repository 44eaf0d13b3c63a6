package dev.orderly.console.order;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.orderly.console.config.ConsoleConfig;
import dev.orderly.console.config.Problem;
import jakarta.annotation.security.PermitAll;
import jakarta.mail.MessagingException;
import jakarta.mail.Multipart;
import jakarta.mail.Session;
import jakarta.mail.internet.MimeMessage;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.QueryParam;
import jakarta.ws.rs.core.MediaType;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Properties;
import org.jboss.logging.Logger;

/**
 * What the simulators have delivered to an address. Open to anyone, since who registers has no login before
 * the code from the SMS; it is the inbox of a simulation, and anyone may name any address.
 */
@Path("/api/inbox")
class InboxResource {

    private static final Logger LOG = Logger.getLogger(InboxResource.class);

    private static final int MAX_MESSAGES = 20;
    private static final int MAX_ADDRESS = 254;
    private static final Duration TIMEOUT = Duration.ofSeconds(5);
    private static final Session NO_TRANSPORT = Session.getInstance(new Properties());

    private final ConsoleConfig config;
    private final ObjectMapper json;
    private final HttpClient http =
            HttpClient.newBuilder().connectTimeout(TIMEOUT).build();

    record Mail(String id, String subject, String text) {}

    record Sms(String to, String text, String at) {}

    /** The newest first. */
    record Inbox(List<Mail> mails, List<Sms> sms) {}

    InboxResource(ConsoleConfig config, ObjectMapper json) {
        this.config = config;
        this.json = json;
    }

    /** @param address of mail, or a phone number */
    @GET
    @Produces(MediaType.APPLICATION_JSON)
    @PermitAll
    public Inbox get(@QueryParam("address") String address) {
        if (address == null || address.isBlank() || address.length() > MAX_ADDRESS) {
            throw Problem.of(400, "address is a mail address or a phone number.");
        }
        if (config.mailApi().isEmpty() || config.sms().isEmpty()) {
            throw Problem.of(404, "Mail and SMS are real here.");
        }
        return address.contains("@")
                ? new Inbox(mails(config.mailApi().get(), address), List.of())
                : new Inbox(List.of(), sms(config.sms().get(), address.strip()));
    }

    private List<Mail> mails(URI api, String address) {
        var name = URLEncoder.encode(address.strip(), UTF_8).replace("+", "%20");
        var mails = new ArrayList<Mail>();
        get(api.resolve("/api/user/" + name + "/messages"), Optional.empty())
                .forEach(message -> mails.add(new Mail(
                        message.path("Message-ID").asText(),
                        message.path("subject").asText(),
                        text(message.path("mimeMessage").asText()))));
        return newest(mails);
    }

    private List<Sms> sms(URI provider, String number) {
        var sms = new ArrayList<Sms>();
        get(provider.resolve("/messages"), config.smsApiKey().map(List::getFirst))
                .forEach(message -> {
                    if (number.equals(message.path("to").asText())) {
                        sms.add(new Sms(
                                number,
                                message.path("text").asText(),
                                message.path("at").asText()));
                    }
                });
        return newest(sms);
    }

    private static <T> List<T> newest(List<T> oldestFirst) {
        return oldestFirst.reversed().stream().limit(MAX_MESSAGES).toList();
    }

    private JsonNode get(URI url, Optional<String> key) {
        var request = HttpRequest.newBuilder(url).timeout(TIMEOUT);
        key.ifPresent(secret -> request.header("Authorization", "Bearer " + secret));
        try {
            var response = http.send(request.build(), BodyHandlers.ofString());
            if (response.statusCode() == 200) {
                return json.readTree(response.body());
            }
            LOG.warnf("%s answered %d", url.getPath(), response.statusCode());
        } catch (IOException e) {
            LOG.debugf(e, "the simulators do not answer");
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
        throw Problem.of(503, "The simulators do not answer now. Try again.");
    }

    private static String text(String mime) {
        try {
            var content = new MimeMessage(NO_TRANSPORT, new ByteArrayInputStream(mime.getBytes(UTF_8))).getContent();
            if (content instanceof Multipart parts && parts.getCount() > 0) {
                content = parts.getBodyPart(0).getContent();
            }
            return String.valueOf(content);
        } catch (MessagingException | IOException _) {
            return mime; // not a mail: as it came
        }
    }
}
