package dev.orderly.platform.connect;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.orderly.platform.config.Checkout;
import dev.orderly.platform.config.CommandFailedException;
import dev.orderly.platform.config.JvmOptions;
import dev.orderly.platform.config.PlatformSettings;
import dev.orderly.platform.config.Secrets;
import dev.orderly.platform.config.StateDirectory;
import dev.orderly.platform.kafka.KafkaLogin;
import dev.orderly.platform.process.HealthProbe;
import dev.orderly.platform.process.ManagedProcess;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The Kafka Connect worker, which runs the relay of each outbox ({@link ConnectorReconciler}). It has the
 * passwords of the relays in a directory, a file for each; the connectors' settings only refer to these.
 */
public final class ConnectWorker {
    public static final String NAME = "connect";
    public static final String USER = "orderly";
    private static final Duration GRACE = Duration.ofMillis(1500);

    private final PlatformSettings settings;
    private final Secrets secrets;
    private final List<String> databases;

    public ConnectWorker(PlatformSettings settings, Secrets secrets, List<String> databases) {
        this.settings = settings;
        this.secrets = secrets;
        this.databases = databases;
    }

    /** What the connectors refer to, see {@link ConnectorReconciler}. */
    public Path passwords() {
        return settings.run("connect-secrets");
    }

    public URI url(String path) {
        return URI.create(
                "http://" + PlatformSettings.HOST + ":" + settings.ports().connect() + path);
    }

    /** The header by which the user of Connect's REST interface is recognised. */
    public static String authorization(String password) {
        return "Basic " + Base64.getEncoder().encodeToString((USER + ":" + password).getBytes(UTF_8));
    }

    public ManagedProcess part() {
        writePasswords();
        var command =
                JvmOptions.CONNECT.kafka(settings, "org.apache.kafka.connect.cli.ConnectDistributed", writeSettings());
        command.add(1, "-Djava.security.auth.login.config=" + writeLogin(settings, secrets, NAME));
        return new ManagedProcess(
                NAME,
                settings.ports().connect(),
                command,
                Map.of(),
                ManagedProcess.Stop.term(settings.grace(JvmOptions.CONNECT, GRACE)),
                HealthProbe.http(url("/health"), authorization(secrets.of(Secrets.CONNECT))),
                ManagedProcess.ALWAYS);
    }

    private void writePasswords() {
        try {
            StateDirectory.delete(passwords());
            Files.createDirectory(passwords());
            for (String database : databases) {
                for (String name : List.of(database + "_relay", KafkaLogin.secretOfRelay(database))) {
                    Secrets.writePrivately(passwords().resolve(Secrets.variableOf(name)), secrets.of(name));
                }
            }
        } catch (IOException e) {
            throw new CommandFailedException("cannot write " + passwords() + ": " + e, e);
        }
    }

    /** Of who may use the REST interface of a worker, as infra/containers/connect.sh does. */
    static Path writeLogin(PlatformSettings settings, Secrets secrets, String worker) {
        Path users = settings.run(worker + "-users.properties");
        Secrets.writePrivately(users, USER + "=" + secrets.of(Secrets.CONNECT) + "\n");
        Path login = settings.run(worker + "-login.conf");
        Secrets.writePrivately(login, """
                KafkaConnect {
                  org.apache.kafka.connect.rest.basic.auth.extension.PropertyFileLoginModule required file="%s";
                };
                """.formatted(users));
        return login;
    }

    private Path writeSettings() {
        var own = new HashMap<>(Map.of(
                "bootstrap.servers", settings.bootstrapServers(),
                "sasl.jaas.config", KafkaLogin.of(secrets, NAME).jaasConfig(),
                "listeners", url("").toString(),
                "plugin.path",
                        Checkout.target("relay").resolve("connect-plugins").toString(),
                "config.providers.secrets.param.allowed.paths", passwords().toString()));
        secrets.certificates().kafka(NAME).forEach((name, value) -> {
            own.put(name, value);
            own.put("producer." + name, value);
        });
        return settings.writeProperties(NAME, List.of("connect/worker.properties"), own);
    }
}
