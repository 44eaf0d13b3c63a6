package dev.orderly.platform;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.orderly.platform.config.Checkout;
import dev.orderly.platform.config.CommandFailedException;
import dev.orderly.platform.config.JvmOptions;
import dev.orderly.platform.config.PlatformSettings;
import dev.orderly.platform.config.Secrets;
import dev.orderly.platform.process.Download;
import dev.orderly.platform.process.HealthProbe;
import dev.orderly.platform.process.ManagedProcess;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Apicurio Registry, which keeps the schemas of events in Avro and Protobuf, in a database of its own. It is
 * downloaded and started by those alone who ask for such a format; and from then on at each start, since
 * records that are on the topic already need their schemas.
 */
public final class SchemaRegistry {
    public static final String NAME = "registry";

    /** The interface of Confluent's registry, which clients in all languages know. */
    private static final String CONFLUENT = "/apis/ccompat/v7";

    /** The user of its interface; who has the password may also add schemas. */
    private static final String USER = "orderly";

    /** What it answers when it has its database, to who logs in. */
    public static final String SUBJECTS = CONFLUENT + "/subjects";

    private static final Duration GRACE = Duration.ofSeconds(2);
    private static final int MAX_CONNECTIONS = 5;

    private final PlatformSettings settings;
    private final Secrets secrets;

    private SchemaRegistry(PlatformSettings settings, Secrets secrets) {
        this.settings = settings;
        this.secrets = secrets;
    }

    /** Downloaded, if it was not before. */
    static Optional<SchemaRegistry> ifWanted(PlatformSettings settings, Secrets secrets, ConsoleProgress progress)
            throws InterruptedException {
        if (!isWanted(settings)) {
            return Optional.empty();
        }
        var registry = new SchemaRegistry(settings, secrets);
        registry.install(progress);
        return Optional.of(registry);
    }

    static boolean isWanted(PlatformSettings settings) {
        return !settings.eventFormat().equals(PlatformSettings.JSON) || Files.exists(wasStarted(settings));
    }

    private static Path wasStarted(PlatformSettings settings) {
        return settings.data().resolve(NAME);
    }

    /** What its clients need; nothing where it is not started. */
    static Map<String, String> clientEnvironment(PlatformSettings settings, Secrets secrets) {
        return isWanted(settings)
                ? Map.of(
                        "ORDERLY_REGISTRY_URL", url(settings.ports(), CONFLUENT).toString(),
                        "ORDERLY_REGISTRY_USER", USER,
                        "ORDERLY_REGISTRY_PASSWORD", secrets.of(Secrets.REGISTRY_CLIENT))
                : Map.of();
    }

    private static URI url(PlatformSettings.Ports ports, String path) {
        return URI.create("http://" + PlatformSettings.HOST + ":" + ports.registry() + path);
    }

    private static Path folder() {
        return Checkout.target(NAME).resolve("apicurio");
    }

    private static Path jar() {
        return folder().resolve("quarkus-run.jar");
    }

    /** Maven leaves a marker behind when it has unpacked all of it. */
    private static boolean isUnpacked() {
        return Files.exists(Checkout.target(NAME).resolve("dependency-maven-plugin-markers")) && Files.exists(jar());
    }

    private void install(ConsoleProgress progress) throws InterruptedException {
        try {
            if (!isUnpacked()) {
                progress.line("downloading the schema registry (159 MB, the first time only)");
                download();
            }
            Files.createDirectories(wasStarted(settings));
        } catch (IOException e) {
            throw new CommandFailedException("cannot install the schema registry: " + e.getMessage(), e);
        }
    }

    private void download() throws IOException, InterruptedException {
        var log = settings.log("registry-download");
        var command = List.of(settings.checkout().resolve("orderly").toString(), "unpack-registry");
        if (!Download.run(command, settings.checkout(), log) || !isUnpacked()) {
            throw new CommandFailedException("the schema registry could not be downloaded; see " + log);
        }
    }

    ManagedProcess part() {
        var command = JvmOptions.REGISTRY.command(settings.infra());
        command.addAll(List.of("-jar", jar().toString()));
        return new ManagedProcess(
                NAME,
                settings.ports().registry(),
                command,
                environment(),
                ManagedProcess.Stop.term(GRACE),
                HealthProbe.http(url(settings.ports(), SUBJECTS), authorization()),
                ManagedProcess.ALWAYS);
    }

    private String authorization() {
        var login = USER + ":" + secrets.of(Secrets.REGISTRY_CLIENT);
        return "Basic " + Base64.getEncoder().encodeToString(login.getBytes(UTF_8));
    }

    private Map<String, String> environment() {
        var environment = new LinkedHashMap<String, String>();
        environment.put("QUARKUS_HTTP_HOST", PlatformSettings.HOST);
        environment.put("QUARKUS_HTTP_PORT", String.valueOf(settings.ports().registry()));
        // It has a second port, for health and metrics, which no other part calls.
        environment.put("QUARKUS_MANAGEMENT_HOST", PlatformSettings.HOST);
        environment.put("QUARKUS_MANAGEMENT_PORT", "0");
        environment.put("QUARKUS_HTTP_ACCESS_LOG_ENABLED", "false");
        // A login for everything: its own settings open the interface to who reaches the port.
        environment.put("QUARKUS_HTTP_AUTH_BASIC", "true");
        environment.put("QUARKUS_HTTP_AUTH_PERMISSION_ALL_PATHS", "/*");
        environment.put("QUARKUS_HTTP_AUTH_PERMISSION_ALL_POLICY", "authenticated");
        environment.put("QUARKUS_SECURITY_USERS_EMBEDDED_PLAIN_TEXT", "true");
        environment.put("QUARKUS_SECURITY_USERS_EMBEDDED_USERS_ORDERLY", secrets.of(Secrets.REGISTRY_CLIENT));
        environment.put("QUARKUS_SECURITY_USERS_EMBEDDED_ROLES_ORDERLY", "sr-admin");
        environment.put("APICURIO_CONFIG_DYNAMIC_ALLOW_ALL", "false");
        // A schema that cannot read what is on the topic is refused to the service that starts with it. The
        // tests demand both directions; here Protobuf's added fields would then be refused as well.
        environment.put("APICURIO_RULES_GLOBAL_COMPATIBILITY", "BACKWARD_TRANSITIVE");
        environment.put("APICURIO_STORAGE_KIND", "sql");
        environment.put("APICURIO_STORAGE_SQL_KIND", "postgresql");
        environment.put(
                "APICURIO_DATASOURCE_URL",
                "jdbc:postgresql://%s:%d/registry?%s"
                        .formatted(
                                PlatformSettings.HOST,
                                settings.ports().postgres(),
                                secrets.certificates().postgresQuery()));
        environment.put("APICURIO_DATASOURCE_USERNAME", Secrets.REGISTRY);
        environment.put("APICURIO_DATASOURCE_PASSWORD", secrets.of(Secrets.REGISTRY));
        environment.put("APICURIO_DATASOURCE_JDBC_INITIAL_SIZE", "1");
        environment.put("APICURIO_DATASOURCE_JDBC_MIN_SIZE", "1");
        environment.put("APICURIO_DATASOURCE_JDBC_MAX_SIZE", String.valueOf(MAX_CONNECTIONS));
        return environment;
    }
}
