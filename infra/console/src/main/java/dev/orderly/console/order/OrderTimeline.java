package dev.orderly.console.order;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.orderly.console.config.ConsoleConfig;
import dev.orderly.console.config.Problem;
import io.quarkiverse.resteasy.problem.HttpProblem;
import jakarta.enterprise.context.ApplicationScoped;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.apache.kafka.common.KafkaException;
import org.jboss.logging.Logger;

/**
 * The life of one order. The read model says where its events are on the topic, and whether the caller may
 * see them; the topic has the events; the databases have the rows.
 */
@ApplicationScoped
class OrderTimeline {

    private static final Logger LOG = Logger.getLogger(OrderTimeline.class);

    private static final String TOPIC = "order-service";
    private static final Duration TIMEOUT = Duration.ofSeconds(15);

    private final ConsoleConfig config;
    private final EventReader reader;
    private final OrderRows rows;
    private final ObjectMapper json;
    private final HttpClient http = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(Duration.ofSeconds(2))
            .build();

    /** @param value its JSON, or its text if it is none */
    record Event(
            String topic,
            int partition,
            long offset,
            long timestamp,
            Map<String, String> headers,
            String type,
            String source,
            String seq,
            String traceparent,
            JsonNode value) {}

    /** @param from in milliseconds since 1970, as is {@code to} @param event what it ended with */
    record Stage(String name, String kind, long from, long to, long millis, String event) {}

    record Timeline(
            UUID orderId,
            String topic,
            Integer partition,
            JsonNode order,
            List<Event> events,
            List<Stage> stages,
            OrderRows.Rows rows,
            JsonNode notifications) {}

    OrderTimeline(ConsoleConfig config, EventReader reader, OrderRows rows, ObjectMapper json) {
        this.config = config;
        this.reader = reader;
        this.rows = rows;
        this.json = json;
    }

    /**
     * @param token of who asks
     * @throws HttpProblem as the service answers, 404 for the order of another customer; 503 when it does not
     */
    Timeline of(UUID id, String token) {
        var order = get("orders", "/orders/" + id, token);
        var places = new ArrayList<EventReader.Place>();
        order.path("timeline")
                .forEach(event -> places.add(new EventReader.Place(
                        event.path("partition").asInt(), event.path("offset").asLong())));
        List<EventReader.Found> found = List.of();
        try {
            found = reader.read(places);
        } catch (KafkaException e) {
            LOG.debugf(e, "the brokers do not answer now");
        }
        var events = found.stream().map(this::event).toList();
        return new Timeline(
                id,
                TOPIC,
                places.isEmpty() ? null : (Integer) places.getFirst().partition(),
                order,
                events,
                stages(order, events),
                rows.of(id, found),
                notifications(id, token));
    }

    private JsonNode notifications(UUID id, String token) {
        try {
            return get("notifications", "/notifications?orderId=" + id, token);
        } catch (HttpProblem _) {
            return json.createArrayNode(); // the rest of the page does not need them
        }
    }

    private JsonNode get(String service, String path, String token) {
        var request = HttpRequest.newBuilder(URI.create(config.services().get(service) + path))
                .timeout(TIMEOUT)
                .header("Authorization", "Bearer " + token)
                .build();
        try {
            HttpResponse<String> response = http.send(request, BodyHandlers.ofString());
            if (response.statusCode() == 200) {
                return json.readTree(response.body());
            }
            throw Problem.of(
                    response.statusCode(), response.statusCode() == 404 ? "There is no such order." : "Not now.");
        } catch (IOException e) {
            LOG.debugf(e, "%s does not answer", service);
            throw Problem.of(503, "The service does not answer now. Try again.");
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
            throw Problem.of(503, "The console stops.");
        }
    }

    private Event event(EventReader.Found found) {
        var headers = found.headers();
        return new Event(
                TOPIC,
                found.place().partition(),
                found.place().offset(),
                found.timestamp(),
                headers,
                headers.get("type"),
                headers.get("source"),
                headers.get("seq"),
                headers.get("traceparent"),
                found.value());
    }

    /**
     * Two for each event: its service handles what it follows from, up to the time it says it happened; then
     * the relay carries it to the topic.
     */
    private static List<Stage> stages(JsonNode order, List<Event> events) {
        var stages = new ArrayList<Stage>();
        Event cause = null;
        for (var event : events) {
            long happened = millis(event.value() == null ? null : event.value().path("occurredAt"), event.timestamp());
            long since =
                    cause == null ? millis(order.path("placedAt"), happened) : Math.min(cause.timestamp(), happened);
            stages.add(stage(
                    cause == null ? "POST and commit" : event.source() + " handles " + cause.type(),
                    "handler",
                    since,
                    happened,
                    event.type()));
            stages.add(stage("relay publishes " + event.type(), "relay", happened, event.timestamp(), event.type()));
            cause = event;
        }
        return stages;
    }

    private static Stage stage(String name, String kind, long from, long to, String event) {
        long end = Math.max(from, to);
        return new Stage(name, kind, from, end, end - from, event);
    }

    private static long millis(JsonNode time, long fallback) {
        try {
            return time == null || !time.isTextual()
                    ? fallback
                    : Instant.parse(time.asText()).toEpochMilli();
        } catch (DateTimeParseException _) {
            return fallback;
        }
    }
}
