package dev.orderly.platform.operations;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.orderly.platform.config.Checkout;
import dev.orderly.platform.config.CommandFailedException;
import dev.orderly.platform.config.PlatformSettings;
import dev.orderly.platform.config.Secrets;
import dev.orderly.platform.process.HealthProbe;
import dev.orderly.platform.process.StatusFile;
import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;

/**
 * Tokens by the simulated identity provider, for people and tools: each is fetched once, and again shortly
 * before it expires. For any number of threads.
 */
public final class AccessTokens {
    /** What all tools use that act for no customer: clerk and operator. */
    public static final String TOOLS = "tools";

    private static final Duration TIMEOUT = Duration.ofSeconds(10);
    /** How long a request is repeated while the provider accepts no connections: it may be restarting. */
    private static final Duration MAX_OUTAGE = Duration.ofSeconds(20);

    private static final Duration RETRY_INTERVAL = Duration.ofMillis(100);
    /** Longer than anything that is begun with a token. */
    private static final Duration MIN_LEFT = Duration.ofMinutes(5);

    private static final JsonMapper JSON = new JsonMapper();

    private final URI endpoint;
    private final String clientSecret;
    private final String options;
    private final Map<String, Token> tokens = new ConcurrentHashMap<>();

    /** @param renewAt on the clock of {@link System#nanoTime} */
    private record Token(String value, long renewAt) {}

    /**
     * @param port of the provider, on this machine
     * @param options what a user adds to {@code ./orderly token NAME} to get the same
     */
    public AccessTokens(int port, String clientSecret, String options) {
        this.endpoint = URI.create("http://" + PlatformSettings.HOST + ":" + port + "/token");
        this.clientSecret = clientSecret;
        this.options = options;
    }

    /** Of the platform that runs on this state folder. */
    public static AccessTokens of(Path data) {
        return new AccessTokens(
                StatusFile.running(data).ports().identity(),
                Secrets.of(data, List.of()).of(Secrets.IDENTITY_CLIENT_SECRET),
                data.equals(Checkout.data(null)) ? "" : " --data=" + data);
    }

    /** What a user adds to {@code ./orderly token NAME}; with a space before it, or empty. */
    public String options() {
        return options;
    }

    /** The header {@code Authorization} of a request. */
    public String bearer(String name) throws InterruptedException {
        return "Bearer " + of(name);
    }

    /**
     * @param name of a person that the provider knows, or the id of a customer
     * @throws CommandFailedException when the provider does not know the name, or does not answer
     */
    public String of(String name) throws InterruptedException {
        var token = tokens.get(name);
        if (token == null || System.nanoTime() - token.renewAt > 0) {
            token = fetch(name);
            tokens.put(name, token);
        }
        return token.value;
    }

    private Token fetch(String name) throws InterruptedException {
        var response = request(name);
        try {
            var body = JSON.readTree(response.body());
            if (response.statusCode() == 200) {
                var valid = Duration.ofSeconds(body.path("expires_in").asLong());
                return new Token(
                        body.path("access_token").asText(),
                        System.nanoTime() + valid.minus(MIN_LEFT).toNanos());
            }
            if (body.path("error").asText().equals("invalid_request")) {
                throw new CommandFailedException(name + " is neither a person that the identity provider knows"
                        + " (ann, bob, carl, olga) nor the id of a customer");
            }
        } catch (IOException _) {
            // no JSON, so no provider
        }
        throw new CommandFailedException("the identity provider at %s answered %d: %s"
                .formatted(endpoint, response.statusCode(), response.body()));
    }

    private HttpResponse<String> request(String name) throws InterruptedException {
        long deadline = System.nanoTime() + MAX_OUTAGE.toNanos();
        var request = HttpRequest.newBuilder(endpoint)
                .timeout(TIMEOUT)
                .header("Content-Type", "application/x-www-form-urlencoded")
                .POST(BodyPublishers.ofString("grant_type=client_credentials&client_secret="
                        + URLEncoder.encode(clientSecret, UTF_8) + "&subject=" + URLEncoder.encode(name, UTF_8)))
                .build();
        while (true) {
            try {
                return HealthProbe.HTTP.send(request, BodyHandlers.ofString());
            } catch (IOException e) {
                if (System.nanoTime() > deadline) {
                    throw new CommandFailedException("the identity provider at " + endpoint + " does not answer", e);
                }
                TimeUnit.MILLISECONDS.sleep(RETRY_INTERVAL.toMillis());
            }
        }
    }
}
