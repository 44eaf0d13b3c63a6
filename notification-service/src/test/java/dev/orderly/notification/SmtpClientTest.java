package dev.orderly.notification;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.orderly.events.CustomerEvent.Contact;
import dev.orderly.notification.Message.Kind;
import jakarta.mail.internet.AddressException;
import jakarta.mail.internet.InternetAddress;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.UUID;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What the mail library does by our settings; {@link NotificationServiceTest} sends mails. */
class SmtpClientTest {

    private static final int CLOSED_PORT = 1;

    private final Message message =
            new Message(UUID.randomUUID(), Kind.WELCOME, UUID.randomUUID(), "subject", "body", null);

    @Test
    void every_address_that_registration_accepts_is_accepted_by_the_library() throws AddressException {
        var random = new Random(21);
        var pattern = Pattern.compile(Contact.MAIL);
        var accepted = 0;
        for (var i = 0; i < 20_000; i++) {
            var address = text(random, "a.+-_'!%", 6) + "@" + text(random, "ab.-1", 8);
            if (pattern.matcher(address).matches()) {
                new InternetAddress(address, true);
                accepted++;
            }
        }
        assertThat(accepted).isGreaterThan(500);
    }

    private static String text(Random random, String alphabet, int maxLength) {
        var text = new StringBuilder();
        for (var left = random.nextInt(maxLength + 1); left > 0; left--) {
            text.append(alphabet.charAt(random.nextInt(alphabet.length())));
        }
        return text.toString();
    }

    @ParameterizedTest
    @ValueSource(strings = {"a..b@shop.example", ".a@shop.example", "a.@shop.example"})
    void an_invalid_address_is_undeliverable_also_while_the_server_is_away(String address) {
        try (var connection = client(CLOSED_PORT, Optional.empty()).connection()) {
            assertThatThrownBy(() -> connection.send(message, address)).isInstanceOf(UndeliverableException.class);
            assertThatThrownBy(() -> connection.send(message, "ann@shop.example"))
                    .isInstanceOf(IOException.class)
                    .isNotInstanceOf(UndeliverableException.class);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "RCPT, 550 5.1.1 no such mailbox, true",
        "RCPT, 450 4.2.0 greylisted, false",
        "DATA, 554 5.6.0 refused, true",
        "DATA, 451 4.3.0 later, false",
        "MAIL, 550 5.7.1 not you, false"
    })
    void what_a_server_refuses_permanently_is_undeliverable_unless_it_is_about_us(
            String command, String reply, boolean permanent) throws Exception {
        try (var server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            var dialogue = Thread.ofVirtual().start(() -> answer(server, command, reply, new ArrayList<>()));
            try (var connection =
                    client(server.getLocalPort(), Optional.empty()).connection()) {
                assertThatThrownBy(() -> connection.send(message, "ann@shop.example"))
                        .hasStackTraceContaining(reply)
                        .matches(failure -> failure instanceof UndeliverableException == permanent);
            }
            dialogue.join();
        }
    }

    @Test
    void a_password_is_not_sent_to_a_server_that_offers_no_tls() throws Exception {
        var received = Collections.synchronizedList(new ArrayList<String>());
        try (var server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            var dialogue = Thread.ofVirtual()
                    .start(() -> answer(server, "EHLO", "250-here\r\n250 AUTH PLAIN LOGIN", received));
            try (var connection =
                    client(server.getLocalPort(), Optional.of("secret")).connection()) {
                assertThatThrownBy(() -> connection.send(message, "ann@shop.example"))
                        .hasMessageContaining("STARTTLS is required");
            }
            dialogue.join();
        }
        assertThat(received).first().asString().startsWith("EHLO");
        assertThat(received).noneMatch(line -> line.startsWith("AUTH"));
    }

    /** One dialogue in which all but one command are answered with 250. */
    private static void answer(ServerSocket server, String command, String reply, List<String> received) {
        try (var client = server.accept();
                var lines = new BufferedReader(new InputStreamReader(client.getInputStream(), US_ASCII))) {
            var out = client.getOutputStream();
            out.write("220 ready\r\n".getBytes(US_ASCII));
            for (var line = lines.readLine(); line != null; line = lines.readLine()) {
                received.add(line);
                out.write(((line.startsWith(command) ? reply : "250 ok") + "\r\n").getBytes(US_ASCII));
            }
        } catch (IOException _) {
            // the client has hung up
        }
    }

    @Test
    void a_user_without_a_password_is_refused_by_the_names_of_the_settings() {
        assertThatThrownBy(() -> new SmtpClient(
                        "127.0.0.1",
                        CLOSED_PORT,
                        Optional.of("orderly"),
                        Optional.empty(),
                        Duration.ofSeconds(5),
                        "orders@orderly.example",
                        "customers.orderly.example",
                        Clock.systemUTC()))
                .hasMessage("SMTP_USER and SMTP_PASSWORD must be set together");
    }

    private static SmtpClient client(int port, Optional<String> password) {
        return new SmtpClient(
                "127.0.0.1",
                port,
                password.map(_ -> "orderly"),
                password,
                Duration.ofSeconds(5),
                "orders@orderly.example",
                "customers.orderly.example",
                Clock.systemUTC());
    }
}
