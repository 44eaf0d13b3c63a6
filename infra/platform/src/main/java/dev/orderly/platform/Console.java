package dev.orderly.platform;

import dev.orderly.platform.config.Checkout;
import dev.orderly.platform.config.JvmOptions;
import dev.orderly.platform.config.PlatformSettings;
import dev.orderly.platform.config.Secrets;
import dev.orderly.platform.kafka.KafkaLogin;
import dev.orderly.platform.postgres.ServiceDatabases;
import dev.orderly.platform.process.HealthProbe;
import dev.orderly.platform.process.ManagedProcess;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * The console: the page that shows the system, a process of its own that no other needs. It is told that this
 * is a demo, and so gets what an installation would not give it: the folder with the status file and the
 * administrator's login, roles that read rows of the services' databases, the keys of the simulators.
 */
public final class Console {
    public static final String NAME = "console";

    private static final Duration GRACE = Duration.ofSeconds(1);

    private final PlatformSettings settings;
    private final Secrets secrets;
    private final List<ServiceDefinition> services;

    Console(PlatformSettings settings, Secrets secrets, List<ServiceDefinition> services) {
        this.settings = settings;
        this.secrets = secrets;
        this.services = services;
    }

    /** Where a browser finds it. */
    public static URI url(PlatformSettings.Ports ports) {
        return URI.create("http://" + PlatformSettings.HOST + ":" + ports.console() + "/");
    }

    /** Where the identity provider may send a browser back to: both names that people type. */
    static String redirectUris(PlatformSettings.Ports ports) {
        return "http://%s:%d/login,http://localhost:%2$d/login".formatted(PlatformSettings.HOST, ports.console());
    }

    static Path jar(Path checkout) {
        return checkout.resolve("infra/console/target/quarkus-app/quarkus-run.jar");
    }

    /** A module's tests run before it is built. */
    static boolean isBuilt(Path checkout) {
        return Files.exists(jar(checkout));
    }

    static Path aotCache() {
        return JvmOptions.aotCache(Checkout.target(NAME), NAME);
    }

    ManagedProcess part() {
        var command = JvmOptions.CONSOLE.command(settings, aotCache());
        command.add("-jar");
        command.add(jar(settings.checkout()).toString());
        return new ManagedProcess(
                NAME,
                settings.ports().console(),
                command,
                environment(),
                ManagedProcess.Stop.term(settings.grace(JvmOptions.CONSOLE, GRACE)),
                HealthProbe.http(url(settings.ports()).resolve("/api/session")),
                ManagedProcess.ALWAYS);
    }

    private Map<String, String> environment() {
        var ports = settings.ports();
        var environment = new LinkedHashMap<String, String>();
        environment.put("HTTP_PORT", String.valueOf(ports.console()));
        environment.put("QUARKUS_HTTP_HOST", PlatformSettings.HOST);
        environment.putAll(
                KafkaLogin.of(secrets, NAME).environment(settings.bootstrapServers(), secrets.certificates()));
        environment.put("OIDC_ISSUER", PlatformSettings.ISSUER);
        environment.put("OIDC_JWKS_URL", here(ports.identity(), "/jwks"));
        environment.put("OIDC_TOKEN_URL", here(ports.identity(), "/token"));
        environment.put("OIDC_AUTHORIZE_URL", here(ports.identity(), "/authorize"));
        environment.put("CONSOLE_SESSION_KEY", secrets.of(Secrets.CONSOLE_SESSION_KEY));
        for (var service : services) {
            var name = service.name().replace("-service", "").toUpperCase(Locale.ROOT);
            environment.put(name + "_URL", here(service.httpPort(), ""));
            environment.put(
                    "CONSOLE_DB_" + service.database().toUpperCase(Locale.ROOT) + "_PASSWORD",
                    secrets.of(ServiceDatabases.consoleRole(service.database())));
        }
        environment.put("MAIL_API_URL", here(ports.mailApi(), ""));
        environment.put("SMS_URL", here(ports.sms(), ""));
        environment.put("SMS_API_KEY", secrets.of(Secrets.SMS_API_KEY));
        environment.put("GATEWAY_URL", here(ports.gateway(), ""));
        environment.put("GATEWAY_API_KEY", secrets.of(Secrets.GATEWAY_API_KEY));
        environment.put("IDENTITY_CLIENT_SECRET", secrets.of(Secrets.IDENTITY_CLIENT_SECRET));
        environment.putAll(SchemaRegistry.clientEnvironment(settings, secrets));
        environment.put("DB_HOST", PlatformSettings.HOST);
        environment.put("DB_PORT", String.valueOf(ports.postgres()));
        if (secrets.certificates().exist()) {
            environment.put("DB_SSL_MODE", secrets.certificates().postgres().get("sslmode"));
            environment.put(
                    "DB_SSL_ROOT_CERT", secrets.certificates().postgres().get("sslrootcert"));
        }
        environment.put("CONSOLE_STATE", settings.data().toString());
        environment.put("CONSOLE_CHECKOUT", settings.checkout().toString());
        return environment;
    }

    private static String here(int port, String path) {
        return "http://" + PlatformSettings.HOST + ":" + port + path;
    }
}
