package dev.orderly.testkit;

import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.orderly.platform.config.Certificates;
import dev.orderly.platform.config.CommandFailedException;
import dev.orderly.platform.config.PlatformSettings;
import dev.orderly.platform.config.Secrets;
import dev.orderly.platform.connect.ConnectWorker;
import dev.orderly.platform.kafka.KafkaLogin;
import dev.orderly.platform.operations.AccessTokens;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;

/** The parts of a platform, reached as any operator can: by their ports and passwords. */
public abstract class PlatformClient implements AutoCloseable {

    public static final String TOPIC = "order-service";
    public static final List<String> DATABASES = List.of("orders", "inventory", "payments", "notifications");
    public static final List<String> SERVICES =
            List.of("order-service", "inventory-service", "payment-service", "notification-service");
    public static final List<String> BROKERS = List.of("kafka-1", "kafka-2", "kafka-3");

    static final String MAIL_API = "mail-api";
    static final String SMS = "sms";
    static final String GATEWAY = "gateway";
    static final String IDENTITY = "identity";
    static final JsonMapper JSON = new JsonMapper();

    private static final Duration MAX_RESPONSE = Duration.ofSeconds(10);

    /** By part. A part keeps its port when it restarts. */
    final Map<String, Integer> ports = new ConcurrentHashMap<>();

    private final HttpClient http =
            HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(2)).build();
    private Admin admin;
    private AccessTokens tokens;

    /** A password, by the name under which {@link Secrets} keeps it. */
    public abstract String secret(String name);

    /** What its clients need where connections are encrypted. */
    public abstract Certificates certificates();

    public URI url(String part, String path) {
        return URI.create("http://" + PlatformSettings.HOST + ":" + ports.get(part) + path);
    }

    /** What a service says at its management port, as its metrics; empty when that is no success. */
    public final Optional<String> askManagement(String service, String path) throws InterruptedException {
        return askManagement(service, path, MAX_RESPONSE);
    }

    /** The same; empty also when it takes longer. */
    public Optional<String> askManagement(String service, String path, Duration atMost) throws InterruptedException {
        int port = PlatformSettings.Ports.management(ports.get(service));
        var url = URI.create("http://" + PlatformSettings.HOST + ":" + port + path);
        return ask(HttpRequest.newBuilder(url).timeout(atMost), "GET", null);
    }

    public URI mailApi(String path) {
        return url(MAIL_API, path);
    }

    /** For requests to the services. */
    public final synchronized AccessTokens tokens() {
        if (tokens == null) {
            tokens = newTokens();
        }
        return tokens;
    }

    AccessTokens newTokens() {
        return new AccessTokens(ports.get(IDENTITY), secret(Secrets.IDENTITY_CLIENT_SECRET), "");
    }

    /** All SMS that were sent. */
    public URI sms() {
        return url(SMS, "/messages");
    }

    public String bootstrapServers() {
        return BROKERS.stream()
                .filter(ports::containsKey)
                .map(broker -> PlatformSettings.HOST + ":" + ports.get(broker))
                .collect(Collectors.joining(","));
    }

    /** The settings of a Kafka client that logs in as this user, and these. */
    public Map<String, Object> kafka(String user, Map<String, Object> others) {
        var login = new KafkaLogin(user, secret(Secrets.ofKafkaUser(user)));
        var settings = new HashMap<String, Object>(login.settings(certificates()));
        settings.putAll(certificates().kafka(KafkaLogin.ADMIN)); // a relay has none of its own
        settings.put("bootstrap.servers", bootstrapServers());
        settings.putAll(others);
        return settings;
    }

    /** As super user, for the same reasons as {@link #connect(String)}. */
    public Map<String, Object> kafka(Map<String, Object> others) {
        return kafka(KafkaLogin.ADMIN, others);
    }

    public synchronized Admin admin() {
        if (admin == null) {
            admin = Admin.create(kafka(Map.of(
                    "client.id", "chaos",
                    "request.timeout.ms", "5000",
                    "default.api.timeout.ms", "15000")));
        }
        return admin;
    }

    /** As superuser: a check must see everything, and a fault may touch anything. */
    public Connection connect(String database) throws SQLException {
        return connect(database, "postgres");
    }

    public Connection connect(String database, String role) throws SQLException {
        var properties = new Properties();
        properties.setProperty("user", role);
        properties.setProperty("password", secret(role));
        properties.putAll(certificates().postgres());
        properties.setProperty("loginTimeout", "10");
        properties.setProperty("socketTimeout", "60");
        properties.setProperty("ApplicationName", "chaos");
        return DriverManager.getConnection(
                "jdbc:postgresql://%s:%d/%s".formatted(PlatformSettings.HOST, ports.get("postgres"), database),
                properties);
    }

    /** The one number that a query as superuser returns, however long it takes. */
    public long number(String database, String sql) {
        try (var connection = connect(database);
                var statement = connection.createStatement()) {
            connection.setNetworkTimeout(Runnable::run, 0);
            try (var row = statement.executeQuery(sql)) {
                row.next();
                return row.getLong(1);
            }
        } catch (SQLException e) {
            throw new CommandFailedException("cannot query " + database + ": " + e.getMessage(), e);
        }
    }

    /** Executes a statement as superuser, however long it takes. */
    public void execute(String database, String sql) {
        try (var connection = connect(database);
                var statement = connection.createStatement()) {
            connection.setNetworkTimeout(Runnable::run, 0);
            statement.execute(sql);
        } catch (SQLException e) {
            throw new CommandFailedException("cannot change " + database + ": " + e.getMessage(), e);
        }
    }

    /** The body of a part's HTTP response; empty when there is none, or its status is not one of success. */
    public Optional<String> ask(String method, URI url, String body) throws InterruptedException {
        return ask(request(url), method, body);
    }

    /** The same of a service, with the token of clerks and operators. */
    public Optional<String> askAsStaff(String method, URI url, String body) throws InterruptedException {
        return ask(request(url).header("Authorization", tokens().bearer(AccessTokens.TOOLS)), method, body);
    }

    /** The same of the payment gateway, with the API key of its merchant. */
    public Optional<String> askGateway(String method, String path, String body) throws InterruptedException {
        return ask(
                request(url(GATEWAY, path)).header("Authorization", "Bearer " + secret(Secrets.GATEWAY_API_KEY)),
                method,
                body);
    }

    private static HttpRequest.Builder request(URI url) {
        return HttpRequest.newBuilder(url).timeout(MAX_RESPONSE);
    }

    private Optional<String> ask(HttpRequest.Builder asking, String method, String body) throws InterruptedException {
        try {
            var request = asking.header("Content-Type", "application/json")
                    .method(method, body == null ? BodyPublishers.noBody() : BodyPublishers.ofString(body))
                    .build();
            var answer = http.send(request, BodyHandlers.ofString());
            return answer.statusCode() / 100 == 2 ? Optional.of(answer.body()) : Optional.empty();
        } catch (IOException _) {
            return Optional.empty(); // down or stopped, as under fault injection
        }
    }

    public Optional<String> connector(String method, String path) throws InterruptedException {
        return connector("connect", method, path, null);
    }

    /** The same of the worker of the sinks: {@code ./orderly up --erp-crm}. */
    public Optional<String> sink(String method, String path, String body) throws InterruptedException {
        return connector("sinks", method, path, body);
    }

    private Optional<String> connector(String worker, String method, String path, String body)
            throws InterruptedException {
        return ask(
                request(url(worker, "/connectors" + path))
                        .header("Authorization", ConnectWorker.authorization(secret(Secrets.CONNECT))),
                method,
                body);
    }

    /** Each relay that is not RUNNING with all of its tasks; or that Connect does not answer. */
    public List<String> brokenRelays() throws InterruptedException {
        var answer = connector("GET", "?expand=status");
        if (answer.isEmpty()) {
            return List.of("Connect does not answer");
        }
        try {
            var connectors = JSON.readTree(answer.get());
            var broken = new ArrayList<String>();
            for (String database : DATABASES) {
                var status = connectors.path(database + "-outbox").path("status");
                var tasks = status.path("tasks").findValuesAsText("state");
                boolean running = status.at("/connector/state").asText().equals("RUNNING") && !tasks.isEmpty();
                if (!running || !tasks.stream().allMatch("RUNNING"::equals)) {
                    broken.add("the relay of " + database + " is not running, its tasks are " + tasks);
                }
            }
            return broken;
        } catch (IOException e) {
            return List.of("Connect returned no JSON: " + e.getMessage());
        }
    }

    @Override
    public void close() {
        if (admin != null) {
            admin.close(Duration.ZERO);
        }
    }
}
