package dev.orderly.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.orderly.platform.config.Certificates;
import dev.orderly.platform.config.Checkout;
import dev.orderly.platform.config.PlatformSettings;
import dev.orderly.platform.operations.ServedCertificate;
import dev.orderly.testkit.OrderlyCommand;
import dev.orderly.testkit.RunningPlatform;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.common.config.ConfigResource;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What {@code ./orderly up --tls} encrypts, whom it refuses, and that certificates change while it runs. */
@Tag("processes")
class TlsTest {

    private static final List<String> SERVERS = List.of("postgres", "kafka-1");
    private static final int MAX_ORDERS = 500;
    private static final Duration MAX_WAIT = Duration.ofSeconds(30);

    private static RunningPlatform platform;

    /** Of another authority. */
    private static Certificates foreign;

    @BeforeAll
    static void start(@TempDir Path folder) throws Exception {
        assumeTrue(
                Program.succeeds("openssl", "version"),
                "skipped: openssl is not installed, which makes the certificates");
        foreign = Certificates.in(folder);
        foreign.issue(Checkout.path().resolve("infra"), List.of("admin"));
        platform = RunningPlatform.temporary(Map.of(), "up", "--free-ports", "--brokers=1", "--tls");
        platform.start();
    }

    @AfterAll
    static void stop() throws IOException, InterruptedException {
        if (platform != null) {
            int exitCode = platform.stop();
            platform.close();
            assertThat(exitCode).as("exit code of the launcher").isZero();
        }
    }

    @Test
    void every_connection_to_PostgreSQL_is_encrypted() throws Exception {
        var roles = new HashSet<String>();
        try (var connection = platform.connect("postgres");
                var statement = connection.createStatement();
                var rows = statement.executeQuery("""
                        SELECT usename, coalesce(version, 'not encrypted')
                        FROM pg_stat_activity JOIN pg_stat_ssl USING (pid)
                        WHERE client_addr IS NOT NULL
                        """)) {
            while (rows.next()) {
                roles.add(rows.getString(1));
                assertThat(rows.getString(2)).as(rows.getString(1)).isEqualTo("TLSv1.3");
            }
        }
        for (var database : RunningPlatform.DATABASES) {
            assertThat(roles).contains(database + "_app", database + "_relay");
        }
        assertThat(roles).contains("postgres");
    }

    @Test
    void PostgreSQL_refuses_a_plain_client_and_a_client_refuses_a_foreign_server() {
        assertThatThrownBy(() -> connect(Map.of("sslmode", "disable"))).hasMessageContaining("no encryption");
        assertThatThrownBy(() -> connect(foreign.postgres()))
                .as("a server of another authority")
                .hasMessageContaining("PKIX path");
    }

    private static void connect(Map<String, String> encryption) throws SQLException {
        var properties = new Properties();
        properties.putAll(encryption);
        properties.putAll(Map.of("user", "postgres", "password", platform.secret("postgres")));
        var url = "jdbc:postgresql://127.0.0.1:" + platform.part("postgres").port() + "/postgres";
        DriverManager.getConnection(url, properties).close();
    }

    /** What a client of the brokers does who has the administrator's password. */
    private enum Client {
        DOES_NOT_ENCRYPT,
        SHOWS_NO_CERTIFICATE,
        SHOWS_THAT_OF_ANOTHER_AUTHORITY,
        TRUSTS_ANOTHER_AUTHORITY
    }

    @ParameterizedTest
    @EnumSource(Client.class)
    void the_brokers_do_not_serve_a_client_that(Client client) throws Exception {
        var settings = new HashMap<>(platform.kafka(Map.of()));
        ask(settings);
        settings.putAll(Map.of("request.timeout.ms", 2000, "default.api.timeout.ms", 3000));

        switch (client) {
            case DOES_NOT_ENCRYPT -> settings.put("security.protocol", "SASL_PLAINTEXT");
            case SHOWS_NO_CERTIFICATE ->
                settings.keySet().removeAll(Set.of("ssl.keystore.location", "ssl.keystore.type"));
            case SHOWS_THAT_OF_ANOTHER_AUTHORITY ->
                settings.put("ssl.keystore.location", foreign.of("admin").toString());
            case TRUSTS_ANOTHER_AUTHORITY ->
                settings.put("ssl.truststore.location", foreign.authority().toString());
        }

        assertThatThrownBy(() -> ask(settings)).isInstanceOf(ExecutionException.class);
    }

    private static void ask(Map<String, Object> settings) throws ExecutionException, InterruptedException {
        try (var client = Admin.create(settings)) {
            client.describeCluster().nodes().get();
        }
    }

    @Test
    void certificates_are_renewed_while_orders_run_and_none_is_lost() throws Exception {
        var before = serials();
        var shop = new Shop(platform::url, platform.tokens(), MAX_ORDERS, MAX_ORDERS * Shop.PRICE);
        var orders = new ArrayList<String>();
        var stopped = new AtomicBoolean();
        var placing = CompletableFuture.runAsync(
                () -> {
                    try {
                        while (!stopped.get() && orders.size() < MAX_ORDERS) {
                            var order = shop.order(1);
                            orders.add(order);
                            shop.awaitEnd(order);
                        }
                    } catch (InterruptedException e) {
                        Thread.currentThread().interrupt();
                    }
                },
                Thread::startVirtualThread);

        var renewal = OrderlyCommand.run("renew-certificates", "--data=" + platform.data());
        stopped.set(true);
        placing.join();

        assertThat(renewal.output()).contains("renewed");
        assertThat(renewal.exitCode()).isZero();
        var after = serials();
        for (var server : SERVERS) {
            assertThat(after.get(server)).as(server).isNotEqualTo(before.get(server));
        }
        await().atMost(MAX_WAIT).until(() -> settingsThatOutliveTheFile().isEmpty());
        assertThat(orders).isNotEmpty();
        for (var order : orders) {
            assertThat(shop.awaitEnd(order).path("status").asText()).isEqualTo("CONFIRMED");
        }
        shop.assertSold(orders.size());
    }

    /** A broker would start with them, however its files are called by then. */
    private static List<String> settingsThatOutliveTheFile() throws ExecutionException, InterruptedException {
        var broker = new ConfigResource(ConfigResource.Type.BROKER, "1");
        var settings = platform.admin().describeConfigs(List.of(broker)).all().get();
        return settings.get(broker).entries().stream()
                .filter(entry -> entry.source() == ConfigEntry.ConfigSource.DYNAMIC_BROKER_CONFIG)
                .map(ConfigEntry::name)
                .toList();
    }

    private static Map<String, BigInteger> serials() throws IOException, GeneralSecurityException {
        var serials = new HashMap<String, BigInteger>();
        for (var server : SERVERS) {
            int port = platform.part(server).port();
            var certificate = ServedCertificate.of(platform.certificates(), PlatformSettings.HOST, port, server);
            serials.put(server, certificate.getSerialNumber());
        }
        return serials;
    }
}
