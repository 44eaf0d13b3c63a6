package dev.orderly.simulator.mail;

import static dev.orderly.simulator.http.JsonServer.JSON;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import jakarta.mail.Message.RecipientType;
import jakarta.mail.MessagingException;
import jakarta.mail.Session;
import jakarta.mail.internet.MimeMessage;
import java.io.IOException;
import java.net.InetAddress;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.Properties;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class MailServerTest {

    private static final String ANN = "ann@shop.example";

    private final HttpClient http = HttpClient.newHttpClient();
    private MailServer server;

    @BeforeEach
    void start() throws IOException {
        server = new MailServer(InetAddress.getLoopbackAddress(), 0, 0);
    }

    @AfterEach
    void stop() {
        server.close();
        http.close();
    }

    @Test
    void a_mail_is_shown_as_soon_as_it_is_accepted() throws Exception {
        send("Grüße", "Your order is confirmed.\n.\nA line of one dot, and ü.", ANN);

        var messages = get("/api/user/" + ANN + "/messages");

        assertThat(messages).singleElement().satisfies(message -> {
            assertThat(message.path("Message-ID").asText()).isEqualTo("<1@shop.example>");
            assertThat(message.path("subject").asText()).isEqualTo("Grüße");
            assertThat(message.path("mimeMessage").asText())
                    .contains("To: " + ANN, "Your order is confirmed.\r\n.\r\nA line of one dot");
        });
        assertThat(get("/api/user").findValuesAsText("login")).containsExactly(ANN);
    }

    @Test
    void every_recipient_of_a_mail_gets_it() throws Exception {
        send("to two", "text", ANN, "bob@shop.example");

        assertThat(get("/api/user/" + ANN + "/messages")).hasSize(1);
        assertThat(get("/api/user/bob@shop.example/messages")).hasSize(1);
    }

    @Test
    void a_recipient_without_mail_has_no_messages() throws Exception {
        assertThat(get("/api/user/nobody@shop.example/messages")).isEmpty();
    }

    @Test
    void a_mail_that_is_too_large_is_rejected_and_the_session_goes_on() throws Exception {
        try (var transport = session().getTransport("smtp")) {
            transport.connect();
            var large = mail("large", "0123456789\n".repeat(30_000), ANN);
            assertThatThrownBy(() -> transport.sendMessage(large, large.getAllRecipients()))
                    .isInstanceOf(MessagingException.class)
                    .hasMessageContaining("552");

            var small = mail("small", "text", ANN);
            transport.sendMessage(small, small.getAllRecipients());
        }

        assertThat(get("/api/user/" + ANN + "/messages").findValuesAsText("subject"))
                .containsExactly("small");
    }

    @Test
    void a_server_that_hangs_replies_to_nothing_until_the_fault_ends() throws Exception {
        request("PUT", "/api/fault", "{\"seconds\": 60}");
        assertThatThrownBy(() -> send("hung", "text", ANN)).hasRootCauseInstanceOf(SocketTimeoutException.class);

        request("PUT", "/api/fault", "{\"seconds\": 0}");
        send("sent", "text", ANN);

        assertThat(get("/api/user/" + ANN + "/messages").findValuesAsText("subject"))
                .containsExactly("sent");
    }

    private void send(String subject, String text, String... recipients) throws MessagingException {
        try (var transport = session().getTransport("smtp")) {
            transport.connect();
            var mail = mail(subject, text, recipients);
            transport.sendMessage(mail, mail.getAllRecipients());
        }
    }

    private Session session() {
        var properties = new Properties();
        properties.setProperty(
                "mail.smtp.host", InetAddress.getLoopbackAddress().getHostAddress());
        properties.setProperty("mail.smtp.port", String.valueOf(server.smtpPort()));
        properties.setProperty("mail.smtp.localhost", "shop.example");
        properties.setProperty("mail.smtp.timeout", "500");
        properties.setProperty("mail.smtp.starttls.enable", "true");
        return Session.getInstance(properties);
    }

    private MimeMessage mail(String subject, String text, String... recipients) throws MessagingException {
        var mail = new MimeMessage(session()) {
            @Override
            protected void updateMessageID() throws MessagingException {
                setHeader("Message-ID", "<1@shop.example>");
            }
        };
        mail.setFrom("orders@shop.example");
        for (var recipient : recipients) {
            mail.addRecipients(RecipientType.TO, recipient);
        }
        mail.setSubject(subject, "UTF-8");
        mail.setText(text, "UTF-8");
        mail.saveChanges();
        return mail;
    }

    private JsonNode get(String path) throws IOException, InterruptedException {
        return request("GET", path, "");
    }

    private JsonNode request(String method, String path, String body) throws IOException, InterruptedException {
        var request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + server.apiPort() + path))
                .method(method, BodyPublishers.ofString(body))
                .build();
        var response = http.send(request, BodyHandlers.ofString());
        assertThat(response.statusCode()).isEqualTo(200);
        return JSON.readTree(response.body());
    }
}
