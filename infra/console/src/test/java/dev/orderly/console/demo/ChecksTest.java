package dev.orderly.console.demo;

import static java.util.Comparator.comparingInt;
import static org.assertj.core.api.Assertions.assertThat;

import dev.orderly.console.config.ConsoleConfig;
import dev.orderly.platform.config.Checkout;
import dev.orderly.testkit.PlatformClient;
import dev.orderly.testkit.RunningPlatform;
import io.smallrye.config.SmallRyeConfigBuilder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** In the services' own tables, as the roles that the console has. */
@Tag("processes")
class ChecksTest {
    private static final String ORDER = "0198c6a2-0000-7000-8000-000000000009";

    private static RunningPlatform platform;
    private static DemoDatabases databases;

    @BeforeAll
    static void start() throws IOException, InterruptedException {
        platform = RunningPlatform.temporary(
                Map.of(), "platform", "--free-ports", "--brokers=1", "--no-connect", "--no-simulators");
        platform.start();
        var settings = new TreeMap<>(Map.of(
                "console.services.orders", "http://127.0.0.1:8080",
                "console.token-endpoint", "http://127.0.0.1:18099/token",
                "console.database.host", "127.0.0.1",
                "console.database.port",
                        String.valueOf(platform.url("postgres", "/").getPort())));
        for (var database : PlatformClient.DATABASES) {
            var service = PlatformClient.SERVICES.get(PlatformClient.DATABASES.indexOf(database));
            migrate(database, service, "shared-events/src/main/resources/db/messaging");
            migrate(database, service, service + "/src/main/resources/db/migration");
            execute(database, service, Checkout.path().resolve("infra/postgres/console.sql"));
            settings.put("console.database.passwords." + database, "of the console");
        }
        databases = new DemoDatabases(new SmallRyeConfigBuilder()
                .withMapping(ConsoleConfig.class)
                .withDefaultValues(settings)
                .build()
                .getConfigMapping(ConsoleConfig.class));
    }

    private static void migrate(String database, String service, String folder) throws IOException {
        try (var files = Files.list(Checkout.path().resolve(folder))) {
            var migrations = files.filter(file -> file.getFileName().toString().startsWith("V"))
                    .sorted(comparingInt(ChecksTest::version))
                    .toList();
            for (var migration : migrations) {
                execute(database, service, migration);
            }
        }
    }

    private static int version(Path migration) {
        return Integer.parseInt(migration.getFileName().toString().replaceAll("^V|__.*$", ""));
    }

    private static void execute(String database, String service, Path file) throws IOException {
        platform.execute(
                database,
                Files.readString(file)
                        .replace("${database}", database)
                        .replace("${service}", service)
                        .replace("${console.password}", "of the console"));
    }

    @AfterAll
    static void stop() {
        platform.close();
    }

    @BeforeEach
    void aReservationOfAnOrderThatHasJustBeenDecided() {
        platform.execute("orders", "TRUNCATE orders");
        platform.execute("orders", """
                INSERT INTO orders (id, customer_id, status, lines, total, currency, payment_method, placed_at, version)
                VALUES ('%1$s', '%1$s', 'CONFIRMED', '[]', 1, 'EUR', 'BALANCE', now(), 2)
                """.formatted(ORDER));
        platform.execute("inventory", "TRUNCATE stock, reservation");
        platform.execute("inventory", """
                INSERT INTO stock VALUES ('mug', 10, 2, 0), ('cup', 10, 0, 0);
                INSERT INTO reservation VALUES ('%s', 'RESERVED', '[{"sku": "mug", "quantity": 2}]')
                """.formatted(ORDER));
    }

    private static String state(String id) {
        return new Checks(databases, Clock.systemUTC())
                .look().stream()
                        .filter(check -> check.id().equals(id))
                        .map(Checks.Check::state)
                        .findFirst()
                        .orElseThrow();
    }

    @Test
    void stock_may_still_be_reserved_for_an_order_that_has_just_been_decided() {
        assertThat(state("reservations")).isEqualTo("ok");
    }

    @Test
    void stock_that_stays_reserved_for_a_decided_order_is_found() {
        platform.execute("orders", "UPDATE orders SET recorded_at = now() - interval '1 hour'");

        assertThat(state("reservations")).isEqualTo("broken");
    }

    @Test
    void stock_that_is_reserved_for_an_undecided_order_is_right_however_old_that_is() {
        platform.execute("orders", "UPDATE orders SET status = 'PENDING', recorded_at = now() - interval '1 hour'");

        assertThat(state("reservations")).isEqualTo("ok");
        assertThat(state("decided")).isEqualTo("broken");
    }

    @Test
    void stock_that_is_reserved_for_no_order_is_found() {
        platform.execute("orders", "TRUNCATE orders");

        assertThat(state("reservations")).isEqualTo("broken");
    }

    @Test
    void units_that_belong_to_no_reservation_are_found() {
        for (var wrong : List.of("UPDATE stock SET reserved = 3 WHERE sku = 'mug'", "DELETE FROM reservation")) {
            aReservationOfAnOrderThatHasJustBeenDecided();

            platform.execute("inventory", wrong);

            assertThat(state("reservations")).as(wrong).isEqualTo("broken");
        }
    }

    @Test
    void one_wrong_balance_is_found_among_many() {
        platform.execute("payments", """
                INSERT INTO balance SELECT md5(i::text)::uuid, 'EUR', i FROM generate_series(1, 1000) AS i;
                INSERT INTO transfer
                    (kind, from_account, to_account, amount, currency, customer_balance, occurred_at)
                SELECT 'DEPOSIT', 'bank', 'customer:' || customer_id, amount, currency, amount, now() FROM balance
                """);
        assertThat(state("money")).isEqualTo("ok");

        platform.execute(
                "payments",
                "UPDATE balance SET amount = amount + 1"
                        + " WHERE customer_id = (SELECT customer_id FROM balance ORDER BY 1 DESC LIMIT 1)");

        assertThat(state("money")).isEqualTo("broken");
    }
}
