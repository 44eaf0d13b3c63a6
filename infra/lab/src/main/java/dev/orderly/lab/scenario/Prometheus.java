package dev.orderly.lab.scenario;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.orderly.platform.config.CommandFailedException;
import dev.orderly.testkit.RunningPlatform;
import java.net.URLEncoder;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/** The Prometheus of a platform with {@code --observe}, asked in PromQL. */
final class Prometheus {
    private static final int STEP_SECONDS = 5;
    private static final JsonMapper JSON = new JsonMapper();

    private final RunningPlatform system;

    record Sample(Instant at, double value) {}

    Prometheus(RunningPlatform system) {
        this.system = system;
    }

    /** The value of the first sample of now; 0 when there is none. */
    double now(String expression) throws InterruptedException {
        return ask("/api/v1/query?query=" + URLEncoder.encode(expression, UTF_8))
                .at("/0/value/1")
                .asDouble();
    }

    /** The samples of the first series, five seconds apart. */
    List<Sample> range(String expression, Instant from, Instant to) throws InterruptedException {
        var path = "/api/v1/query_range?query=%s&start=%d&end=%d&step=%d"
                .formatted(
                        URLEncoder.encode(expression, UTF_8), from.getEpochSecond(), to.getEpochSecond(), STEP_SECONDS);
        var samples = new ArrayList<Sample>();
        ask(path)
                .at("/0/values")
                .forEach(sample -> samples.add(new Sample(
                        Instant.ofEpochSecond(sample.path(0).asLong()),
                        sample.path(1).asDouble())));
        return samples;
    }

    private JsonNode ask(String path) throws InterruptedException {
        var answer = system.ask("GET", system.url("prometheus", path), null)
                .orElseThrow(() -> new CommandFailedException("Prometheus does not answer " + path));
        try {
            return JSON.readTree(answer).at("/data/result");
        } catch (JsonProcessingException e) {
            throw new CommandFailedException("Prometheus returned no JSON: " + answer, e);
        }
    }
}
