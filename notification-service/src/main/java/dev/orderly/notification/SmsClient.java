package dev.orderly.notification;

import dev.orderly.events.EventJson;
import dev.orderly.events.VerificationCodes;
import jakarta.annotation.PreDestroy;
import jakarta.enterprise.context.ApplicationScoped;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.Optional;
import org.eclipse.microprofile.config.inject.ConfigProperty;

/**
 * The SMS provider, by HTTP. A message has the same Idempotency-Key however often it is sent, by which the provider knows a
 * copy. The code is put in at the last moment: it is in no table.
 */
@ApplicationScoped
class SmsClient {

    private static final Duration TIMEOUT = Duration.ofSeconds(5);

    private final HttpClient http = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(Duration.ofSeconds(2))
            .build();
    private final URI messages;
    private final String authorization;
    private final VerificationCodes codes;

    SmsClient(
            @ConfigProperty(name = "orderly.sms.url") URI url,
            @ConfigProperty(name = "orderly.sms.api-key") Optional<String> apiKey,
            @ConfigProperty(name = "orderly.verification.key") String verificationKey) {
        this.messages = url.resolve("/messages");
        this.authorization = "Bearer " + apiKey.orElse("");
        this.codes = new VerificationCodes(verificationKey);
    }

    @PreDestroy
    void close() {
        http.shutdownNow();
    }

    private record SmsRequest(String to, String text) {}

    /**
     * Returns when the provider has taken the message over.
     *
     * @throws IOException when it cannot be reached, or refuses; the message has nothing of what it answered
     */
    void send(Message letter, String phone) throws IOException, InterruptedException {
        var text = letter.body().replace(Message.CODE, codes.of(letter.customerId(), letter.about()));
        var request = HttpRequest.newBuilder(messages)
                .timeout(TIMEOUT)
                .header("Authorization", authorization)
                .header("Content-Type", "application/json")
                .header("Idempotency-Key", letter.id())
                .POST(BodyPublishers.ofString(EventJson.writeValue(new SmsRequest(phone, text))))
                .build();
        var answer = http.send(request, BodyHandlers.discarding());
        if (answer.statusCode() / 100 != 2) {
            throw new IOException("HTTP " + answer.statusCode());
        }
    }
}
