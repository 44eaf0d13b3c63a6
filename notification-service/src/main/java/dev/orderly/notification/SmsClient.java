package dev.orderly.notification;

import dev.orderly.events.EventJson;
import dev.orderly.events.VerificationCodes;
import dev.orderly.http.BaseUrl;
import io.quarkus.runtime.StartupEvent;
import jakarta.annotation.PreDestroy;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.eclipse.microprofile.config.inject.ConfigProperty;

/**
 * Client of the SMS provider. All attempts of a message share an Idempotency-Key, by which it deduplicates.
 * The code is inserted here, in the last step, so that no table contains it.
 */
@ApplicationScoped
class SmsClient {

    private static final Duration TIMEOUT = Duration.ofSeconds(5);

    /** About the number or the text. Others (401, 404, 429, 5xx) are about the key, the URL, the load. */
    private static final Set<Integer> PERMANENT = Set.of(400, 410, 413, 422);

    private final HttpClient http = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(Duration.ofSeconds(2))
            .build();
    private final URI messages;
    private final String authorization;
    private final VerificationCodes codes;

    SmsClient(
            @ConfigProperty(name = "orderly.sms.url") String url,
            @ConfigProperty(name = "orderly.sms.api-key") Optional<List<String>> apiKeys,
            @ConfigProperty(name = "orderly.verification.key") List<String> verificationKeys) {
        this.messages = new BaseUrl("SMS_URL", url).resolve("messages");
        this.authorization = "Bearer " + apiKeys.map(List::getFirst).orElse("");
        this.codes = new VerificationCodes(verificationKeys);
    }

    /** Makes the one instance, so that a wrong setting shows at the start and not at the first SMS. */
    void start(@Observes StartupEvent event) {}

    @PreDestroy
    void close() {
        http.shutdownNow();
    }

    private record SmsRequest(String to, String text) {}

    /**
     * Returns when the provider has accepted the message.
     *
     * @throws UndeliverableException when it never will accept this one
     * @throws IOException when it cannot be reached, or does not accept it now; does not quote its response,
     *     which may contain the phone number
     */
    void send(Message message, String phone) throws IOException, InterruptedException {
        var text =
                message.body().replace(Message.CODE_PLACEHOLDER, codes.of(message.customerId(), message.referenceId()));
        var request = HttpRequest.newBuilder(messages)
                .timeout(TIMEOUT)
                .header("Authorization", authorization)
                .header("Content-Type", "application/json")
                .header("Idempotency-Key", message.id())
                .POST(BodyPublishers.ofString(EventJson.writeValue(new SmsRequest(phone, text))))
                .build();
        var response = http.send(request, BodyHandlers.discarding());
        var failure = "HTTP " + response.statusCode();
        if (PERMANENT.contains(response.statusCode())) {
            throw new UndeliverableException(failure, null);
        }
        if (response.statusCode() / 100 != 2) {
            throw new IOException(failure);
        }
    }
}
