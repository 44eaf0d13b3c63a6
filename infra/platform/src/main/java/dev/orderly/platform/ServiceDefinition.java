package dev.orderly.platform;

import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.orderly.platform.config.Certificates;
import dev.orderly.platform.config.CommandFailedException;
import dev.orderly.platform.config.JvmOptions;
import dev.orderly.platform.config.PlatformSettings;
import dev.orderly.platform.config.Secrets;
import dev.orderly.platform.kafka.KafkaLogin;
import dev.orderly.platform.process.HealthProbe;
import dev.orderly.platform.process.ManagedProcess;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.URL;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * One of the services of {@code infra/services.json}, and how it is started.
 *
 * @param secrets variables of its environment, each a key of {@link Secrets} in upper case
 */
public record ServiceDefinition(String name, String database, int httpPort, List<String> secrets) {
    public static final String ORDERS = "order-service";
    public static final String STOCK = "inventory-service";
    public static final String PAYMENTS = "payment-service";
    public static final String NOTIFICATIONS = "notification-service";

    private static final int FIRST_HTTP_PORT = 8080;
    private static final String EVENT_FORMAT = "ORDERLY_EVENT_FORMAT";
    /** Of the format an option decides; the others are about the launcher itself. */
    private static final Set<String> OF_THE_LAUNCHER =
            Set.of(EVENT_FORMAT, "ORDERLY_BUILD", "ORDERLY_LISTEN", "ORDERLY_SERVICE_COMPILERS");

    private static final String EVERY_INTERFACE = "0.0.0.0";
    /** Consumers need to leave their groups, or their partitions wait for the session to end. */
    private static final Duration GRACE = Duration.ofMillis(2500);

    /** All services, on ports from this one on. */
    public static List<ServiceDefinition> all(Path checkout, int firstHttpPort) {
        Path file = checkout.resolve("infra/services.json");
        try {
            return Stream.of(new JsonMapper().readValue(file.toFile(), ServiceDefinition[].class))
                    .map(service -> service.on(service.httpPort - FIRST_HTTP_PORT + firstHttpPort))
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read " + file, e);
        }
    }

    /** The same service on another port. */
    public ServiceDefinition on(int port) {
        return new ServiceDefinition(name, database, port, secrets);
    }

    public static ServiceDefinition named(List<ServiceDefinition> services, String name) {
        return services.stream().filter(s -> s.name().equals(name)).findFirst().orElseThrow();
    }

    public URI url(String path) {
        return URI.create("http://" + PlatformSettings.HOST + ":" + httpPort + path);
    }

    public int managementPort() {
        return PlatformSettings.Ports.management(httpPort);
    }

    /** Of health, metrics and OpenAPI; on this machine alone, whatever the user chose for the API. */
    public URI managementUrl(String path) {
        return URI.create("http://" + PlatformSettings.HOST + ":" + managementPort() + path);
    }

    Path jar(Path checkout) {
        return checkout.resolve(name).resolve("target/quarkus-app/quarkus-run.jar");
    }

    /** The jars that have its migrations, and the class that applies them. */
    List<URL> migrations(Path checkout) {
        Path application = jar(checkout).getParent();
        return Stream.of("app/*.jar", "lib/main/dev.orderly.shared-events-*.jar")
                .map(jar -> only(application, jar))
                .toList();
    }

    private static URL only(Path folder, String jar) {
        Path directory = folder.resolve(jar).getParent();
        String name = Path.of(jar).getFileName().toString();
        try (var found = Files.newDirectoryStream(directory, name)) {
            return found.iterator().next().toUri().toURL();
        } catch (IOException | NoSuchElementException e) {
            throw new CommandFailedException("no " + name + " in " + directory, e);
        }
    }

    Path aotCache(PlatformSettings settings) {
        return JvmOptions.aotCache(settings.checkout().resolve(name).resolve("target"), name);
    }

    /**
     * Where the services' API listens: on this machine alone, unless the user chose otherwise. The simulated
     * identity provider stays on this machine, so no other gets tokens of it.
     *
     * @param chosen {@code ORDERLY_LISTEN}, or null
     * @throws CommandFailedException when the launcher could not reach it there
     */
    static String listenAddress(String chosen) {
        if (chosen == null || chosen.equals(PlatformSettings.HOST) || chosen.equals(EVERY_INTERFACE)) {
            return chosen == null ? PlatformSettings.HOST : chosen;
        }
        throw new CommandFailedException(
                "ORDERLY_LISTEN must be " + PlatformSettings.HOST + ", or " + EVERY_INTERFACE + " for every interface");
    }

    /** All configuration of the service but for {@link ManagedProcess#INHERITED}. */
    Map<String, String> environment(PlatformSettings settings, Secrets secrets) {
        var ports = settings.ports();
        var environment = new LinkedHashMap<String, String>();
        environment.put("DB_HOST", PlatformSettings.HOST);
        environment.put("DB_PORT", String.valueOf(ports.postgres()));
        environment.put("DB_APP_PASSWORD", secrets.of(database + "_app"));
        encryption(secrets.certificates(), environment);
        environment.putAll(
                KafkaLogin.of(secrets, name).environment(settings.bootstrapServers(), secrets.certificates()));
        environment.put(EVENT_FORMAT, settings.eventFormat());
        environment.putAll(SchemaRegistry.clientEnvironment(settings, secrets));
        environment.put("QUARKUS_HTTP_HOST", listenAddress(System.getenv("ORDERLY_LISTEN")));
        environment.put("HTTP_PORT", String.valueOf(httpPort));
        environment.put("MANAGEMENT_PORT", String.valueOf(managementPort()));
        environment.put("OIDC_ISSUER", PlatformSettings.ISSUER);
        environment.put("OIDC_JWKS_URL", "http://" + PlatformSettings.HOST + ":" + ports.identity() + "/jwks");
        environment.put("SMTP_HOST", PlatformSettings.HOST);
        environment.put("SMTP_PORT", String.valueOf(ports.smtp()));
        environment.put("SMS_URL", "http://" + PlatformSettings.HOST + ":" + ports.sms());
        environment.put("ORDERLY_GATEWAY_URL", "http://" + PlatformSettings.HOST + ":" + ports.gateway());
        for (String secret : this.secrets) {
            environment.put(secret, secrets.of(secret.toLowerCase(Locale.ROOT).replace("orderly_", "")));
        }
        environment.putAll(chosen(System.getenv()));
        return environment;
    }

    /** Any other setting of the services: ORDERLY_ORDER_DEADLINE=10S is orderly.order.deadline. */
    static Map<String, String> chosen(Map<String, String> launchers) {
        var chosen = new LinkedHashMap<>(launchers);
        chosen.keySet().removeIf(variable -> !variable.startsWith("ORDERLY_") || OF_THE_LAUNCHER.contains(variable));
        chosen.forEach((variable, value) -> {
            if (value.contains("\n")) { // which would end it in the file that tools read
                throw new CommandFailedException(variable + " has a line break");
            }
        });
        return chosen;
    }

    /** The file is a part of a URL there. */
    private static void encryption(Certificates certificates, Map<String, String> environment) {
        if (certificates.exist()) {
            environment.put("DB_SSL_MODE", certificates.postgres().get("sslmode"));
            var authority = URLEncoder.encode(certificates.postgres().get("sslrootcert"), StandardCharsets.UTF_8);
            environment.put("DB_SSL_ROOT_CERT", authority);
        }
    }

    public static Path environmentFile(Path data, String service) {
        return data.resolve("run").resolve(service + ".env");
    }

    /** @param migrates whether it has the owner's password, and so migrates the database by itself */
    void writeEnvironment(PlatformSettings settings, Secrets secrets, boolean migrates) {
        var environment = environment(settings, secrets);
        if (migrates) {
            environment.put("DB_OWNER_PASSWORD", secrets.of(database + "_owner"));
        }
        writeEnvironment(settings.data(), name, environment);
    }

    /** Writes an environment, passwords included, for {@code ./orderly env} and the services' tests. */
    static void writeEnvironment(Path data, String name, Map<String, String> environment) {
        String lines = environment.entrySet().stream()
                .map(e -> e.getKey() + "=" + e.getValue() + "\n")
                .collect(Collectors.joining());
        Secrets.writePrivately(environmentFile(data, name), lines);
    }

    /** The first instance, a static member of its consumer groups. */
    ManagedProcess part(PlatformSettings settings, Secrets secrets) {
        // Not in the file that a second instance is started from: no two may have the same name.
        return part(name, Map.of("INSTANCE_ID", name), settings, secrets);
    }

    /**
     * One more instance. Without a name in its consumer groups, which a member that has one does not leave as
     * it stops: its partitions would wait for the session to end.
     *
     * @param number 2 and more
     */
    ManagedProcess anotherPart(int number, int port, PlatformSettings settings, Secrets secrets) {
        return on(port).part(name + "-" + number, Map.of(), settings, secrets);
    }

    private ManagedProcess part(String instance, Map<String, String> own, PlatformSettings settings, Secrets secrets) {
        var command = JvmOptions.SERVICE.command(settings, aotCache(settings));
        command.add("-jar");
        command.add(jar(settings.checkout()).toString());
        var environment = environment(settings, secrets);
        environment.putAll(own);
        return new ManagedProcess(
                instance,
                httpPort,
                command,
                environment,
                ManagedProcess.Stop.term(settings.grace(JvmOptions.SERVICE, GRACE)),
                HealthProbe.http(managementUrl("/q/health/ready")),
                HealthProbe.notDown(managementUrl("/q/health/live")));
    }

    /** The names of those that are not built. */
    static String missing(List<ServiceDefinition> services, Path checkout) {
        return services.stream()
                .filter(service -> !Files.exists(service.jar(checkout)))
                .map(ServiceDefinition::name)
                .sorted()
                .collect(Collectors.joining(", "));
    }
}
