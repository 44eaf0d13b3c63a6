package dev.orderly.messaging;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.orderly.database.OutageException;
import jakarta.enterprise.context.ApplicationScoped;
import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.net.http.HttpTimeoutException;
import java.time.Duration;
import java.util.Base64;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.eclipse.microprofile.config.inject.ConfigProperty;

/**
 * A client of the schema registry, by the REST interface that Confluent's has and others offer as well (<a
 * href="https://docs.confluent.io/platform/current/schema-registry/develop/api.html">reference</a>). It opens
 * no connection before the first call: with JSON alone there need be no registry.
 */
@ApplicationScoped
class SchemaRegistry {

    /** Of a whole call, from the connection to the end of the answer: a schema has some kilobytes. */
    private static final Duration TIMEOUT = Duration.ofSeconds(3);

    private static final int MAX_ANSWER = 1 << 20;
    private static final String CONTENT_TYPE = "application/vnd.schemaregistry.v1+json";
    private static final int NOT_FOUND = 404;

    /** Of a schema: it is not compatible, or not valid. */
    private static final Set<Integer> REFUSALS = Set.of(409, 422);

    private static final ObjectMapper JSON = new ObjectMapper();

    private final String url;
    private final Optional<String> authorization;
    private HttpClient client;

    SchemaRegistry(
            @ConfigProperty(name = "orderly.registry.url") Optional<String> url,
            @ConfigProperty(name = "orderly.registry.user") Optional<String> user,
            @ConfigProperty(name = "orderly.registry.password") Optional<String> password) {
        this.url = url.orElse(null);
        this.authorization = user.map(name ->
                "Basic " + Base64.getEncoder().encodeToString((name + ':' + password.orElse("")).getBytes(UTF_8)));
    }

    boolean isConfigured() {
        return url != null;
    }

    /** @param type AVRO or PROTOBUF, as the registry names it */
    record Schema(String type, String text) {}

    /** The registry refuses a schema, or does not know an id: it would do so again. */
    static final class RefusedException extends IOException {
        private static final long serialVersionUID = 1L;

        RefusedException(String detail) {
            super(detail);
        }
    }

    /**
     * Registers a schema unless it is there already, and returns its id, which never means another one.
     *
     * @throws RefusedException when the registry refuses it, because it is not compatible with the one before
     * @throws OutageException when the registry does not answer
     */
    int register(String subject, Schema schema) throws RefusedException {
        var body = JSON.createObjectNode().put("schema", schema.text);
        if (!schema.type.equals("AVRO")) { // the default, and the one type that has no name in old versions
            body.put("schemaType", schema.type);
        }
        var path = "/subjects/" + URLEncoder.encode(subject, UTF_8) + "/versions";
        var answer = send(request(path).POST(BodyPublishers.ofString(body.toString())), subject);
        return part("id", answer).asInt();
    }

    /**
     * The schema of an id.
     *
     * @throws RefusedException when the registry does not know it, or there is none, or it is negative
     * @throws OutageException when the registry does not answer
     */
    Schema schema(int id) throws RefusedException {
        if (!isConfigured()) { // or one record would hold up its partition for ever
            throw new RefusedException("schema " + id + " is not known: there is no schema registry");
        }
        if (id < 0) { // which to some registries is no number at all, and so a wrong path
            throw new RefusedException("schema " + id + " is none: no id is negative");
        }
        var answer = send(request("/schemas/ids/" + id).GET(), "schema " + id);
        return new Schema(
                answer.path("schemaType").asText("AVRO"), part("schema", answer).asText());
    }

    /** Of another program at this address, which answers as well, nothing may be taken for an id. */
    private JsonNode part(String name, JsonNode answer) {
        if (!answer.hasNonNull(name)) {
            throw new OutageException("what answers at " + url + " is no schema registry: no " + name, null);
        }
        return answer.path(name);
    }

    private HttpRequest.Builder request(String path) {
        var request = HttpRequest.newBuilder(URI.create(url + path))
                .header("Accept", CONTENT_TYPE)
                .header("Content-Type", CONTENT_TYPE);
        authorization.ifPresent(login -> request.header("Authorization", login));
        return request;
    }

    private JsonNode send(HttpRequest.Builder request, String what) throws RefusedException {
        HttpResponse<String> response;
        JsonNode answer;
        try {
            response = exchange(request.build());
            answer = response.body().isEmpty() ? JSON.createObjectNode() : JSON.readTree(response.body());
        } catch (IOException e) {
            throw new OutageException("the schema registry at " + url + " does not answer: " + e, e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while the schema registry was asked", e);
        }
        var status = response.statusCode();
        if (status == 200) {
            return answer;
        }
        var message = answer.path("message").asText("no reason given");
        var problem = "the schema registry answers %d to %s: %s".formatted(status, what, message);
        // By its own codes, of five digits, it says what it does not have; 404 alone is said of a wrong path.
        var code = answer.path("error_code").asInt();
        if (status == NOT_FOUND && code > NOT_FOUND) {
            throw new RefusedException(what + " is not in the schema registry");
        }
        if (REFUSALS.contains(status) && code != 0) {
            throw new RefusedException(problem);
        }
        // Also of a proxy in front of it, of a wrong login, of too many calls: no event is to blame.
        throw new OutageException(problem, null);
    }

    /** The timeout of a request ends with the head of its answer: without the rest it would wait for ever. */
    private HttpResponse<String> exchange(HttpRequest request) throws IOException, InterruptedException {
        var answer = client().sendAsync(request, BodyHandlers.limiting(BodyHandlers.ofString(), MAX_ANSWER));
        try {
            return answer.get(TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            throw new HttpTimeoutException("no whole answer within " + TIMEOUT.toSeconds() + " s");
        } catch (ExecutionException e) {
            throw e.getCause() instanceof IOException failure ? failure : new IOException(e.getCause());
        } finally {
            answer.cancel(true);
        }
    }

    private synchronized HttpClient client() {
        if (client == null) {
            client = HttpClient.newBuilder()
                    .version(HttpClient.Version.HTTP_1_1)
                    .connectTimeout(TIMEOUT)
                    .build();
        }
        return client;
    }
}
