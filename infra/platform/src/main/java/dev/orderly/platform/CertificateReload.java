package dev.orderly.platform;

import dev.orderly.platform.config.Secrets;
import dev.orderly.platform.kafka.KafkaLogin;
import dev.orderly.platform.postgres.ServiceDatabases;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.attribute.FileTime;
import java.sql.SQLException;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.AlterConfigOp.OpType;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.config.ConfigResource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Has PostgreSQL and the brokers serve their certificates when these have been renewed, within a second or
 * two: by themselves they read them at their start alone. No connection ends.
 */
public final class CertificateReload implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(CertificateReload.class);
    private static final Duration PERIOD = Duration.ofSeconds(1);
    /** The one listener without TLS, if there is one. */
    private static final String OPEN = "OPEN";

    private final ServiceDatabases postgres;
    private final Map<String, Object> brokers;
    private final Secrets secrets;
    private final CountDownLatch closed = new CountDownLatch(1);

    /** @param brokers internal listeners */
    public CertificateReload(ServiceDatabases postgres, String brokers, Secrets secrets) {
        this.postgres = postgres;
        this.secrets = secrets;
        this.brokers = new HashMap<>(KafkaLogin.of(secrets, KafkaLogin.ADMIN).internalSettings(secrets.certificates()));
        this.brokers.putAll(Map.of(
                "bootstrap.servers", brokers,
                "client.id", "certificates",
                "request.timeout.ms", "5000",
                "default.api.timeout.ms", "15000"));
    }

    /** Does nothing where nothing is encrypted. */
    public void start() {
        if (secrets.certificates().exist()) {
            Thread.ofVirtual().name("certificates").start(this::reloadWhenRenewed);
        }
    }

    private void reloadWhenRenewed() {
        var served = written();
        try {
            while (!closed.await(PERIOD.toMillis(), TimeUnit.MILLISECONDS)) {
                var now = written();
                if (now.isPresent() && !now.equals(served) && reload()) {
                    served = now;
                }
            }
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    /** Empty while a container's secrets are replaced. Its own is written after those of the servers. */
    private Optional<FileTime> written() {
        try {
            return Optional.of(Files.getLastModifiedTime(secrets.certificates().of(KafkaLogin.ADMIN)));
        } catch (IOException _) {
            return Optional.empty();
        }
    }

    /** Returns whether all do; else the next period tries again. */
    private boolean reload() throws InterruptedException {
        try (var connection = postgres.connect(Secrets.SUPERUSER);
                var statement = connection.createStatement();
                var admin = Admin.create(brokers)) {
            statement.execute("SELECT pg_reload_conf()");
            for (var broker : admin.describeCluster().nodes().get()) {
                reload(admin, broker.id());
            }
            LOG.info("PostgreSQL and the brokers serve renewed certificates");
            return true;
        } catch (SQLException | ExecutionException | KafkaException e) {
            LOG.warn("not all servers serve their renewed certificates yet", e);
            return false;
        }
    }

    /**
     * A broker, which is a controller too, reads the file when the setting changes: so it is named in another
     * way, and then as before. What is set here would otherwise outlive the file.
     */
    private void reload(Admin admin, int id) throws ExecutionException, InterruptedException {
        var broker = new ConfigResource(ConfigResource.Type.BROKER, String.valueOf(id));
        var file = secrets.certificates().of("kafka-" + id);
        var sameFile = file.getParent() + "/./" + file.getFileName();
        var listeners =
                admin.describeConfigs(List.of(broker)).all().get().get(broker).get("listeners");
        for (var operation : List.of(OpType.SET, OpType.DELETE)) {
            var settings = Stream.of(listeners.value().split(","))
                    .map(listener -> listener.substring(0, listener.indexOf(':')))
                    .filter(listener -> !listener.equals(OPEN))
                    .map(listener -> "listener.name." + listener.toLowerCase(Locale.ROOT) + ".ssl.keystore.location")
                    .map(name -> new AlterConfigOp(new ConfigEntry(name, sameFile), operation))
                    .toList();
            admin.incrementalAlterConfigs(Map.of(broker, settings)).all().get();
        }
    }

    @Override
    public void close() {
        closed.countDown();
    }
}
