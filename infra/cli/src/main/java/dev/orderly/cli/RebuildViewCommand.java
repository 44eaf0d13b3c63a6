package dev.orderly.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.orderly.platform.ServiceDefinition;
import dev.orderly.platform.config.Checkout;
import dev.orderly.platform.config.CommandFailedException;
import dev.orderly.platform.config.PlatformSettings;
import dev.orderly.platform.operations.AccessTokens;
import dev.orderly.platform.process.HealthProbe;
import dev.orderly.platform.process.StatusFile;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code ./orderly rebuild-view}: has order-service do it, and shows the progress. */
@Command(
        name = "rebuild-view",
        description = "Build the read model again from the topic, while the old one is read and kept up to date.")
final class RebuildViewCommand implements Callable<Integer> {
    private static final JsonMapper JSON = new JsonMapper();
    private static final Duration POLL = Duration.ofMillis(500);

    @Option(names = "--data", paramLabel = "DIR", description = "State folder. (default: .orderly in the checkout)")
    Path data;

    @Option(
            names = "--as",
            paramLabel = "NAME",
            defaultValue = "olga",
            description = "Whose token to use: an operator's. (default: ${DEFAULT-VALUE})")
    String operator;

    @Override
    public Integer call() throws IOException, InterruptedException {
        var state = Checkout.data(data);
        int port = StatusFile.running(state).parts().stream()
                .filter(part -> part.name().equals(ServiceDefinition.ORDERS))
                .findAny()
                .orElseThrow(() -> new CommandFailedException("no order-service runs on " + state))
                .port();
        var url = URI.create("http://%s:%d/order-view/rebuild".formatted(PlatformSettings.HOST, port));
        var request = HttpRequest.newBuilder(url)
                .header("Authorization", AccessTokens.of(state).bearer(operator));
        var status = send(request.copy().POST(BodyPublishers.noBody()));
        var shown = "";
        while (status.path("state").asText().equals("RUNNING")) {
            var line = "%,d of %,d events"
                    .formatted(status.path("events").asLong(), status.path("of").asLong());
            if (!line.equals(shown)) {
                System.out.println(line);
                shown = line;
            }
            TimeUnit.MILLISECONDS.sleep(POLL.toMillis());
            status = send(request.copy().GET());
        }
        if (!status.path("state").asText().equals("DONE")) {
            throw new CommandFailedException(
                    "the old view stays: " + status.path("problem").asText());
        }
        System.out.printf(
                "the view is new: %,d events in %.1f s, %,d orders taken over from the old one%n",
                status.path("events").asLong(),
                Duration.between(
                                        Instant.parse(status.path("startedAt").asText()),
                                        Instant.parse(status.path("endedAt").asText()))
                                .toMillis()
                        / 1000.0,
                status.path("kept").asInt());
        return 0;
    }

    private static JsonNode send(HttpRequest.Builder request) throws IOException, InterruptedException {
        HttpResponse<String> response;
        try {
            response = HealthProbe.HTTP.send(
                    request.timeout(Duration.ofSeconds(10)).build(), BodyHandlers.ofString());
        } catch (IOException e) {
            throw new CommandFailedException("order-service does not answer", e);
        }
        if (response.statusCode() / 100 != 2) {
            throw new CommandFailedException(
                    "order-service answered " + response.statusCode() + ": " + response.body());
        }
        return JSON.readTree(response.body());
    }
}
