package dev.orderly.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.orderly.platform.config.CommandFailedException;
import dev.orderly.platform.config.Secrets;
import dev.orderly.platform.config.StateDirectory;
import dev.orderly.platform.connect.ConnectWorker;
import dev.orderly.platform.connect.RelayPauseLock;
import dev.orderly.platform.kafka.KafkaLogin;
import dev.orderly.platform.operations.PartitionScaler;
import dev.orderly.platform.process.ProcessStatus;
import dev.orderly.testkit.OrderlyCommand;
import dev.orderly.testkit.RunningPlatform;
import java.io.IOException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.StreamSupport;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.quota.ClientQuotaEntity;
import org.apache.kafka.common.quota.ClientQuotaFilter;
import org.apache.kafka.common.quota.ClientQuotaFilterComponent;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The real platform, started once: what services find on it, and that its parts come back. */
@Tag("processes")
class PlatformTest {
    private static final Duration MAX_WAIT = Duration.ofSeconds(60);
    /** More than the new server writes until it has its databases. */
    private static final int LOG_FILES = 8;
    /** A position that no log reaches. */
    private static final long FAR = 1L << 52;

    @TempDir
    static Path folder;

    private static Path data;
    private static RunningPlatform platform;

    @BeforeAll
    static void start() throws InterruptedException {
        data = folder.resolve("a space's 50% #1");
        platform = new RunningPlatform(data, Map.of(), "platform", "--brokers=1", "--free-ports");
        platform.start();
    }

    @AfterAll
    static void stop() throws Exception {
        int exitCode = platform.stop();
        platform.close();
        assertThat(exitCode).as("exit code of a regular stop").isZero();
    }

    @Test
    void the_application_works_with_rows_but_not_with_tables() throws SQLException {
        try (var owner = platform.connect("payments", "payments_owner");
                var app = platform.connect("payments", "payments_app")) {
            owner.createStatement().execute("CREATE TABLE entry (amount int)");

            app.createStatement().execute("INSERT INTO entry VALUES (1); DELETE FROM entry");
            assertThatThrownBy(() -> app.createStatement().execute("CREATE TABLE mine (x int)"))
                    .hasMessageContaining("permission denied for schema public");
            assertThatThrownBy(() -> app.createStatement().execute("DROP TABLE entry"))
                    .hasMessageContaining("must be owner");
        }
    }

    @Test
    void no_role_gets_into_another_services_database() {
        for (String role : List.of("payments_owner", "payments_app", "payments_relay")) {
            assertThatThrownBy(() -> platform.connect("orders", role).close())
                    .hasMessageContaining("pg_hba.conf rejects connection");
        }
    }

    @Test
    void the_application_cannot_hold_a_lock_for_long() throws SQLException {
        try (var app = platform.connect("orders", "orders_app");
                var settings = app.createStatement().executeQuery("""
                        SELECT concat_ws(' ', current_setting('statement_timeout'), current_setting('lock_timeout'),
                            current_setting('idle_in_transaction_session_timeout'),
                            current_setting('transaction_timeout'))
                        """)) {
            settings.next();
            assertThat(settings.getString(1)).isEqualTo("5s 2s 10s 20s");
        }
    }

    @Test
    void every_topic_of_the_data_file_is_there_with_its_settings() throws Exception {
        try (var admin = Admin.create(platform.kafka(Map.of()))) {
            var topics = admin.describeTopics(List.of("order-service", "order-service.dlq", "customer-service"))
                    .allTopicNames()
                    .get();
            assertThat(topics.values())
                    .allSatisfy(t -> assertThat(t.partitions()).hasSize(3));

            var resource = new ConfigResource(ConfigResource.Type.TOPIC, "order-service");
            var config = admin.describeConfigs(List.of(resource)).all().get().get(resource);
            assertThat(config.get("retention.ms").value()).isEqualTo("604800000");
            assertThat(config.get("cleanup.policy").value()).isEqualTo("delete");
            assertThat(config.get("min.insync.replicas").value()).isEqualTo("1");
            assertThat(config.get("unclean.leader.election.enable").value()).isEqualTo("false");
        }
    }

    @Test
    void clients_that_log_have_the_quota_of_the_data_file() throws Exception {
        try (var admin = Admin.create(platform.kafka(Map.of()))) {
            var quotas = admin.describeClientQuotas(ClientQuotaFilter.containsOnly(
                            List.of(ClientQuotaFilterComponent.ofEntity(ClientQuotaEntity.CLIENT_ID, "client-log"))))
                    .entities()
                    .get();

            assertThat(quotas.values())
                    .containsExactly(Map.of("producer_byte_rate", 1_048_576.0, "consumer_byte_rate", 2_097_152.0));
        }
    }

    @Test
    void passwords_are_for_nobody_elses_eyes() throws IOException {
        for (String file : List.of(
                "secrets.properties",
                "run/order-service.env",
                "run/admin.env",
                "run/kafka-1.properties",
                "run/connect.properties")) {
            assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(data.resolve(file))))
                    .isEqualTo("rw-------");
        }
        assertThat(Files.readAllLines(data.resolve("run/order-service.env")))
                .anyMatch(l -> l.startsWith("DB_APP_PASSWORD="))
                .contains("KAFKA_BOOTSTRAP_SERVERS=" + platform.bootstrapServers());
    }

    @Test
    void a_second_launcher_on_the_same_folder_is_told_about_the_first() throws Exception {
        try (var second = OrderlyCommand.startPlatform("platform", "--brokers=1", "--free-ports", "--data=" + data)) {
            var result = second.end();

            assertThat(result.output().lines())
                    .containsExactly("orderly: already running (pid %d): ./orderly stop"
                            .formatted(platform.processes().getFirst().pid()));
            assertThat(result.exitCode()).isEqualTo(1);
        }
    }

    @Test
    void the_topic_does_not_grow_while_a_group_of_a_service_that_is_down_has_events_to_read() throws Exception {
        var groups = List.of("payment-consumer-group");
        var settings = platform.kafka(Map.of());
        try (var admin = Admin.create(settings);
                var producer = new KafkaProducer<>(settings, new StringSerializer(), new StringSerializer())) {
            var record = producer.send(new ProducerRecord<>("order-service", "order-0", "{}"))
                    .get();
            var read = Map.of(
                    new TopicPartition(record.topic(), record.partition()), new OffsetAndMetadata(record.offset()));
            admin.alterConsumerGroupOffsets(groups.getFirst(), read).all().get();

            try {
                assertThatThrownBy(() -> PartitionScaler.grow(data, 4, Duration.ofSeconds(15)))
                        .isInstanceOf(CommandFailedException.class)
                        .hasMessageContaining("all groups to read to the end, but for payment-consumer-group;");
            } finally {
                admin.deleteConsumerGroups(groups).all().get();
            }
        }
    }

    @Test
    void a_row_of_the_outbox_gets_to_its_topic_also_after_every_part_was_killed() throws Exception {
        createOutbox("orders");
        // Not of the outbox, and for a topic that no relay may write to: the relay must not stop at it.
        try (var superuser = platform.connect("orders", Secrets.SUPERUSER)) {
            superuser.createStatement().execute("SELECT pg_logical_emit_message(true, 'any', 'any')");
        }
        // Written before there is a connector: the slot keeps it.
        publish("orders", "order-1", "{\"id\":\"order-1\",\"status\":\"PENDING\"}");

        var first = relayed("order-1");

        assertThat(first.key()).isEqualTo("order-1");
        assertThat(first.value()).isEqualTo("{\"id\":\"order-1\",\"status\":\"PENDING\"}");
        var headers = new HashMap<String, String>();
        first.headers().forEach(h -> headers.put(h.key(), new String(h.value(), StandardCharsets.UTF_8)));
        assertThat(headers).containsOnlyKeys("id", "type", "source", "version", "schema", "seq", "traceparent");
        assertThat(headers)
                .containsEntry("type", "OrderPlaced")
                .containsEntry("source", "order-service")
                .containsEntry("version", "1")
                .containsEntry("seq", "1")
                .containsEntry("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");

        var killed = new ArrayList<ProcessStatus>();
        for (var part : List.of("postgres", "kafka-1", "connect")) {
            killed.add(platform.kill(part));
        }
        for (var former : killed) {
            platform.awaitRestart(former);
            assertThat(platform.part(former.name()).restarts()).isEqualTo(former.restarts() + 1);
        }
        publish("orders", "order-2", "{}");

        assertThat(relayed("order-2").value()).isEqualTo("{}");
    }

    /** Its log begins at the beginning, and Kafka remembers how far the relay had read the former one. */
    @Test
    void a_relay_publishes_what_a_new_server_records_though_it_has_read_further_on_the_old_one() throws Exception {
        createOutbox("inventory");
        try (var superuser = platform.connect("postgres")) {
            for (int i = 0; i < LOG_FILES; i++) {
                superuser
                        .createStatement()
                        .execute("SELECT pg_logical_emit_message(false, 'test', ''), pg_switch_wal()");
            }
        }
        publish("inventory", "before", "{}");
        relayed("before");

        platform.stop();
        StateDirectory.delete(data.resolve("postgres"));
        platform.start();
        createOutbox("inventory");
        publish("inventory", "after", "{}");

        assertThat(relayed("after").value()).isEqualTo("{}");
    }

    /** As when its files are put back from a copy: Kafka remembers a position that it never reached. */
    @Test
    void a_relay_publishes_what_a_restored_server_records_though_it_has_read_further_before() throws Exception {
        createOutbox("payments");
        publish("payments", "payment-1", "{}");
        relayed("payment-1");
        try (var _ = RelayPauseLock.take(platform.connect("postgres"))) {
            var connector = "/connectors/payments-outbox";
            connect("PUT", connector + "/stop", "");
            String positions = await().atMost(MAX_WAIT)
                    .until(() -> connect("GET", connector + "/offsets", ""), now -> now.contains("\"lsn\""));
            String later = positions.replaceAll("(\"lsn\\w*\"):\\d+", "$1:" + FAR);
            await().atMost(MAX_WAIT)
                    .until(
                            () -> connect("PATCH", connector + "/offsets", later),
                            answer -> answer.contains("successfully"));
        }

        platform.awaitRestart(platform.kill("postgres"));
        publish("payments", "payment-2", "{}");

        assertThat(relayed("payment-2").value()).isEqualTo("{}");
    }

    private static String connect(String method, String path, String body) throws IOException, InterruptedException {
        var request = HttpRequest.newBuilder(platform.url("connect", path))
                .header("Authorization", ConnectWorker.authorization(platform.secret("connect")))
                .header("Content-Type", "application/json")
                .method(method, HttpRequest.BodyPublishers.ofString(body))
                .build();
        try (var http = HttpClient.newHttpClient()) {
            return http.send(request, HttpResponse.BodyHandlers.ofString()).body();
        }
    }

    @Test
    void connect_answers_no_one_without_its_password() throws Exception {
        try (var http = HttpClient.newHttpClient()) {
            for (String path : List.of("/", "/health", "/connectors", "/connector-plugins", "/admin/loggers")) {
                for (String authorization : List.of("none", ConnectWorker.authorization("guess"))) {
                    var request = HttpRequest.newBuilder(platform.url("connect", path))
                            .header("Authorization", authorization)
                            .build();

                    var answer = http.send(request, HttpResponse.BodyHandlers.ofString());

                    assertThat(answer.statusCode()).as(path).isEqualTo(401);
                }
            }
        }
    }

    /** What Connect resolves it answers, also in a validation: so it can read what relays need, no more. */
    @Test
    void connect_resolves_no_reference_but_those_to_passwords_of_relays() throws Exception {
        assertThat(nameResolvedFrom("${secrets:" + data.resolve("run/connect-secrets") + ":ORDERS_RELAY_PASSWORD}"))
                .isEqualTo(platform.secret("orders_relay"));
        for (String reference : List.of(
                "${secrets:" + data + ":secrets.properties}",
                "${secrets:" + data.resolve("run/connect-secrets/..") + ":connect-users.properties}",
                "${file:" + data.resolve("secrets.properties") + ":postgres}",
                "${env:PATH}")) {
            assertThat(nameResolvedFrom(reference)).as(reference).isEqualTo(reference);
        }
    }

    private static String nameResolvedFrom(String reference) throws IOException, InterruptedException {
        var configuration = new JsonMapper()
                .createObjectNode()
                .put("connector.class", "dev.orderly.relay.OutboxConnector")
                .put("name", reference);
        var answer = validated(configuration.toString());
        for (var field : new JsonMapper().readTree(answer).path("configs")) {
            if (field.at("/value/name").asText().equals("name")) {
                return field.at("/value/value").asText();
            }
        }
        throw new AssertionError(answer);
    }

    @Test
    void a_connector_may_set_nothing_of_its_producer_that_ours_do_not() throws Exception {
        var brokers = "producer.override.bootstrap.servers";
        var answer = new JsonMapper().readTree(validated("""
                {"connector.class": "dev.orderly.relay.OutboxConnector", "topic.prefix": "x",
                 "producer.override.acks": "all", "%s": "elsewhere:9092"}
                """.formatted(brokers)));

        assertThat(answer.path("configs"))
                .filteredOn(field -> field.at("/value/name").asText().startsWith("producer.override."))
                .filteredOn(field -> !field.at("/value/errors").isEmpty())
                .extracting(field -> field.at("/value/name").asText())
                .containsExactly(brokers);
    }

    private static String validated(String configuration) throws IOException, InterruptedException {
        return connect("PUT", "/connector-plugins/dev.orderly.relay.OutboxConnector/config/validate", configuration);
    }

    private static void createOutbox(String database) throws SQLException, IOException {
        try (var owner = platform.connect(database, database + "_owner");
                var table = PlatformTest.class.getResourceAsStream("outbox.sql")) {
            var sql = new String(table.readAllBytes(), StandardCharsets.UTF_8);
            owner.createStatement().execute(sql.replace("${database}", database));
            owner.createStatement()
                    .execute("SELECT pg_create_logical_replication_slot('outbox_" + database + "', 'pgoutput')");
        }
    }

    private static void publish(String database, String key, String payload) throws SQLException {
        try (var app = platform.connect(database, database + "_app");
                var insert = app.prepareStatement("""
                        INSERT INTO outbox (topic, key, type, source, version, schema, payload, traceparent)
                        VALUES ('order-service', ?, 'OrderPlaced', 'order-service', 1, 1, ?,
                                '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01')
                        """)) {
            insert.setString(1, key);
            insert.setString(2, payload);
            insert.executeUpdate();
        }
    }

    /** The first record with this key. */
    private static ConsumerRecord<String, String> relayed(String key) {
        try (var consumer = new KafkaConsumer<>(
                platform.kafka(KafkaLogin.READER, Map.of("group.id", "reader-" + key, "auto.offset.reset", "earliest")),
                new StringDeserializer(),
                new StringDeserializer())) {
            consumer.subscribe(List.of("order-service"));
            return await().atMost(MAX_WAIT)
                    .until(
                            () -> StreamSupport.stream(
                                            consumer.poll(Duration.ofMillis(200))
                                                    .spliterator(),
                                            false)
                                    .filter(record -> record.key().equals(key))
                                    .findFirst(),
                            Optional::isPresent)
                    .orElseThrow();
        }
    }
}
