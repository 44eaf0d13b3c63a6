package dev.orderly.platform;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.orderly.platform.config.JvmOptions;
import dev.orderly.platform.config.PlatformSettings;
import dev.orderly.platform.config.Secrets;
import dev.orderly.platform.process.HealthProbe;
import dev.orderly.platform.process.ManagedProcess;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.stream.Collectors;

/** One of the services of {@code infra/services.json}: what it is called, its database, and how it is started. */
public record ServiceDefinition(String name, String database, int httpPort) {
    /** The one that customers deal with. */
    public static final String ORDERS = "order-service";
    /** The one that keeps the stock. */
    public static final String STOCK = "inventory-service";
    /** The one that sends mail and SMS. */
    public static final String NOTIFICATIONS = "notification-service";
    /** The one that the payment gateway deals with. */
    public static final String PAYMENTS = "payment-service";

    private static final int FIRST_HTTP_PORT = 8080;
    /** Consumers need to leave their groups, or their partitions wait for the session to end. */
    private static final Duration GRACE = Duration.ofMillis(2500);

    /** All services, on the ports that these settings give them. */
    public static List<ServiceDefinition> all(Path checkout, int firstHttpPort) {
        Path file = checkout.resolve("infra/services.json");
        try {
            return new JsonMapper()
                    .readValue(file.toFile(), new TypeReference<List<ServiceDefinition>>() {}).stream()
                            .map(s -> new ServiceDefinition(
                                    s.name, s.database, s.httpPort - FIRST_HTTP_PORT + firstHttpPort))
                            .toList();
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read " + file, e);
        }
    }

    public static ServiceDefinition named(List<ServiceDefinition> services, String name) {
        return services.stream().filter(s -> s.name().equals(name)).findFirst().orElseThrow();
    }

    public URI url(String path) {
        return URI.create("http://" + PlatformSettings.HOST + ":" + httpPort + path);
    }

    Path jar(Path checkout) {
        return checkout.resolve(name).resolve("target/quarkus-app/quarkus-run.jar");
    }

    /** The archive of this service. */
    Path archive(PlatformSettings settings) {
        return JvmOptions.archive(settings.checkout().resolve(name).resolve("target"), name);
    }

    /** All that the service is told, and the whole of its environment but for {@link ManagedProcess#INHERITED}. */
    Map<String, String> environment(PlatformSettings settings, Secrets secrets) {
        var environment = new LinkedHashMap<String, String>();
        environment.put("DB_HOST", PlatformSettings.HOST);
        environment.put("DB_PORT", String.valueOf(settings.ports().postgres()));
        environment.put("DB_APP_PASSWORD", secrets.of(database + "_app"));
        environment.put("DB_OWNER_PASSWORD", secrets.of(database + "_owner"));
        environment.put("KAFKA_BOOTSTRAP_SERVERS", settings.bootstrapServers());
        environment.put("HTTP_PORT", String.valueOf(httpPort));
        environment.put("SMTP_HOST", PlatformSettings.HOST);
        environment.put("SMTP_PORT", String.valueOf(settings.ports().smtp()));
        if (name.equals(ORDERS) || name.equals(NOTIFICATIONS)) {
            environment.put("VERIFICATION_KEY", secrets.of(Secrets.VERIFICATION_KEY));
        }
        if (name.equals(NOTIFICATIONS)) {
            environment.put(
                    "SMS_URL",
                    "http://" + PlatformSettings.HOST + ":" + settings.ports().sms());
            environment.put("SMS_API_KEY", secrets.of(Secrets.SMS_API_KEY));
        }
        if (name.equals(PAYMENTS)) {
            environment.put(
                    "ORDERLY_GATEWAY_URL",
                    "http://" + PlatformSettings.HOST + ":" + settings.ports().gateway());
            environment.put("ORDERLY_GATEWAY_API_KEY", secrets.of(Secrets.GATEWAY_API_KEY));
            environment.put("ORDERLY_GATEWAY_CALLBACK_SECRETS", secrets.gatewayCallbacks());
        }
        return environment;
    }

    public static Path environmentFile(Path data, String service) {
        return data.resolve("run").resolve(service + ".env");
    }

    /** Writes the environment where {@code ./orderly env} and the services' tests read it; it holds passwords. */
    void writeEnvironment(PlatformSettings settings, Secrets secrets) {
        String lines = environment(settings, secrets).entrySet().stream()
                .map(e -> e.getKey() + "=" + e.getValue() + "\n")
                .collect(Collectors.joining());
        Secrets.writePrivately(environmentFile(settings.data(), name), lines);
    }

    ManagedProcess part(PlatformSettings settings, Secrets secrets) {
        var command = JvmOptions.SERVICE.command(settings, archive(settings));
        command.add("-jar");
        command.add(jar(settings.checkout()).toString());
        var environment = environment(settings, secrets);
        // What the services can be told beyond what they must be: ORDERLY_ORDER_DEADLINE=10S is orderly.order.deadline.
        System.getenv().forEach((name, value) -> {
            if (name.startsWith("ORDERLY_")) {
                environment.put(name, value);
            }
        });
        // Not in the file that others start a second instance from: no two may have the same name.
        environment.put("INSTANCE_ID", name);
        return new ManagedProcess(
                name,
                httpPort,
                command,
                environment,
                ManagedProcess.Stop.term(settings.grace(JvmOptions.SERVICE, GRACE)),
                HealthProbe.http(url("/q/health/ready")),
                HealthProbe.notDown(url("/q/health/live")));
    }

    /** The names of those that are not built. */
    static String missing(List<ServiceDefinition> services, Path checkout) {
        return services.stream()
                .filter(service -> !Files.exists(service.jar(checkout)))
                .map(ServiceDefinition::name)
                .collect(Collectors.toCollection(TreeSet::new))
                .stream()
                .collect(Collectors.joining(", "));
    }
}
