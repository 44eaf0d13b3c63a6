package dev.orderly.console.event;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.TextNode;
import dev.orderly.console.config.ConsoleConfig;
import dev.orderly.events.EventCodec;
import dev.orderly.events.EventFormat;
import dev.orderly.events.EventHeaders;
import dev.orderly.events.EventJson;
import jakarta.enterprise.context.ApplicationScoped;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.Base64;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.jboss.logging.Logger;

/** The values of records as JSON, whatever format they are in. */
@ApplicationScoped
public class EventValues {

    private static final Logger LOG = Logger.getLogger(EventValues.class);
    private static final Duration TIMEOUT = Duration.ofSeconds(2);
    /** After a schema could not be fetched; until then its events are shown as bytes. */
    private static final Duration PAUSE = Duration.ofSeconds(10);

    private final Optional<URI> registry;
    private final Optional<String> authorization;
    private final ObjectMapper json;
    private final Map<Key, EventCodec.Schema> schemas = new ConcurrentHashMap<>();
    private final HttpClient http = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(TIMEOUT)
            .build();
    private volatile long notBefore = System.nanoTime();

    /** A record may name the id of a schema of another format. */
    private record Key(EventFormat format, int id) {}

    EventValues(ConsoleConfig config, ObjectMapper json) {
        this.registry = config.registry();
        this.authorization = config.registryUser()
                .map(user -> user + ':' + config.registryPassword().orElse(""))
                .map(login -> "Basic " + Base64.getEncoder().encodeToString(login.getBytes(UTF_8)));
        this.json = json;
    }

    /** Null for a tombstone; what cannot be decoded is a text that says what it is. */
    public JsonNode of(ConsumerRecord<String, byte[]> record) {
        if (record.value() == null) {
            return null;
        }
        var contentType = header(record, EventHeaders.CONTENT_TYPE);
        try {
            var format = EventFormat.ofContentType(contentType);
            return json.readTree(format == EventFormat.JSON ? record.value() : decoded(format, record));
        } catch (IOException | RuntimeException e) {
            LOG.debugf("a record is shown as it is: %s", e.getMessage());
            return TextNode.valueOf(
                    contentType == null
                            ? new String(record.value(), UTF_8)
                            : "%d bytes of %s".formatted(record.value().length, contentType));
        }
    }

    private byte[] decoded(EventFormat format, ConsumerRecord<String, byte[]> record) throws IOException {
        var type = EventJson.typeNamed(header(record, EventHeaders.TYPE));
        var event = EventCodec.read(format, type, schema(format, EventCodec.schemaId(record.value())), record.value());
        return EventJson.write(event).getBytes(UTF_8);
    }

    private EventCodec.Schema schema(EventFormat format, int id) throws IOException {
        var key = new Key(format, id);
        var known = schemas.get(key);
        if (known != null) {
            return known;
        }
        if (registry.isEmpty() || notBefore - System.nanoTime() > 0) {
            throw new IOException("schema " + id + " is not known now");
        }
        notBefore = System.nanoTime() + PAUSE.toNanos();
        var request = HttpRequest.newBuilder(URI.create(registry.get() + "/schemas/ids/" + id));
        authorization.ifPresent(login -> request.header("Authorization", login));
        // Not the timeout of a request, which ends with the head of its answer.
        var answer = http.sendAsync(request.build(), BodyHandlers.ofString());
        try {
            var response = answer.get(TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
            if (response.statusCode() != 200) {
                throw new IOException("the schema registry answers " + response.statusCode());
            }
            var schema = EventCodec.schema(
                    format, json.readTree(response.body()).path("schema").asText());
            schemas.put(key, schema);
            notBefore = System.nanoTime();
            return schema;
        } catch (ExecutionException | TimeoutException e) {
            throw new IOException("the schema registry does not answer: " + e, e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("the console stops", e);
        } finally {
            answer.cancel(true);
        }
    }

    private static String header(ConsumerRecord<String, byte[]> record, String name) {
        var header = record.headers().lastHeader(name);
        return header == null || header.value() == null ? null : new String(header.value(), UTF_8);
    }
}
