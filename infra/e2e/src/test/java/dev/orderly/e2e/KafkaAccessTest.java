package dev.orderly.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.orderly.platform.kafka.KafkaLogin;
import java.sql.SQLException;
import java.time.Duration;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.DescribeClusterOptions;
import org.apache.kafka.clients.admin.DescribeTopicsOptions;
import org.apache.kafka.clients.admin.ListTopicsOptions;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.ScramCredentialInfo;
import org.apache.kafka.clients.admin.ScramMechanism;
import org.apache.kafka.clients.admin.UserScramCredentialUpsertion;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.acl.AccessControlEntry;
import org.apache.kafka.common.acl.AclBinding;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.acl.AclPermissionType;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.ClusterAuthorizationException;
import org.apache.kafka.common.errors.GroupAuthorizationException;
import org.apache.kafka.common.errors.TopicAuthorizationException;
import org.apache.kafka.common.resource.PatternType;
import org.apache.kafka.common.resource.ResourcePattern;
import org.apache.kafka.common.resource.ResourceType;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** What each user of the brokers may do, as the brokers judge it, and what becomes of one who tries more. */
@EndToEnd
class KafkaAccessTest {

    private static final String ANONYMOUS = "ANONYMOUS";
    private static final int MAX_POLLS = 10;
    private static final TopicPartition ORDERS = new TopicPartition("order-service", 0);

    private static final List<String> GROUPS = List.of(
            "order-consumer-group",
            "order-view-consumer-group",
            "flash-sale-consumer-group",
            "orders-outbox-auditor-group",
            "inventory-consumer-group",
            "inventory-outbox-auditor-group",
            "payment-consumer-group",
            "payments-outbox-auditor-group",
            "notification-consumer-group",
            "notification-customer-consumer-group",
            "client-log-consumer-group",
            "notifications-outbox-auditor-group",
            "orderly-connect",
            "connect-erp",
            "connect-crm",
            "reader-1",
            "plain-1",
            "any");

    /** Repeated here on purpose: a test must not rely on the file that it tests. */
    @ParameterizedTest(name = "{0}")
    @CsvSource(delimiter = '|', nullValues = "-", textBlock = """
            # user               | reads    | writes   | creates  | joins
            relay-orders         | -        | o d c h  | -        | -
            relay-inventory      | -        | o d h    | -        | -
            relay-payments       | -        | o d h    | -        | -
            relay-notifications  | -        | d h      | -        | -
            order-service        | o d c h f | f       | -        | order-consumer-group order-view-consumer-group \
            flash-sale-consumer-group orders-outbox-auditor-group
            inventory-service    | o d h    | -        | -        | inventory-consumer-group \
            inventory-outbox-auditor-group
            payment-service      | o d h    | -        | -        | payment-consumer-group \
            payments-outbox-auditor-group
            notification-service | o d c h l | l       | -        | notification-consumer-group \
            notification-customer-consumer-group client-log-consumer-group notifications-outbox-auditor-group
            connect              | 1 2 3    | 1 2 3    | 1 2 3    | orderly-connect
            sinks                | -        | -        | -        | -
            sink-erp             | o        | 4        | -        | connect-erp
            sink-crm             | c        | 5        | -        | connect-crm
            reader               | o d h    | -        | -        | reader-1
            ANONYMOUS            | o        | -        | -        | payment-consumer-group plain-1
            """)
    void a_user_may_do_its_own_work_and_nothing_else(
            String user, String reads, String writes, String creates, String joins) throws Exception {
        var expected = new TreeMap<String, Set<AclOperation>>();
        topics(reads).forEach(topic -> allow(expected, topic, AclOperation.READ));
        topics(writes).forEach(topic -> allow(expected, topic, AclOperation.WRITE));
        topics(creates).forEach(topic -> allow(expected, topic, AclOperation.CREATE));
        try (var client = Admin.create(settings(user))) {
            var allowed = new TreeMap<String, Set<AclOperation>>();
            for (String topic : allTopics()) {
                operations(client, topic).ifPresent(operations -> allowed.put(topic, operations));
            }
            assertThat(allowed).isEqualTo(expected);
            assertThat(GROUPS.stream().filter(group -> mayJoin(client, group)))
                    .containsExactlyInAnyOrderElementsOf(words(joins).toList());
            assertThat(client.describeCluster(new DescribeClusterOptions().includeAuthorizedOperations(true))
                            .authorizedOperations()
                            .get())
                    .as("what it may do to the cluster")
                    .isEmpty();
        }
    }

    private static Stream<String> words(String text) {
        return text == null ? Stream.empty() : Stream.of(text.split(" +"));
    }

    private static Stream<String> topics(String letters) {
        return words(letters).map(letter -> switch (letter) {
            case "o" -> "order-service";
            case "d" -> "order-service.dlq";
            case "c" -> "customer-service";
            case "h" -> "outbox-heartbeat";
            case "f" -> "flash-sale-intake";
            case "l" -> "client-log";
            case "1" -> "connect-configs";
            case "2" -> "connect-offsets";
            case "3" -> "connect-status";
            case "4" -> "erp.dlq";
            case "5" -> "crm.dlq";
            default -> throw new IllegalArgumentException(letter);
        });
    }

    private static void allow(Map<String, Set<AclOperation>> expected, String topic, AclOperation operation) {
        var operations = expected.computeIfAbsent(topic, _ -> EnumSet.noneOf(AclOperation.class));
        operations.add(operation);
        operations.add(AclOperation.DESCRIBE); // which reading and writing imply
    }

    private static Map<String, Object> settings(String user) {
        return user.equals(ANONYMOUS)
                ? Map.of("bootstrap.servers", RunningSystem.platform().openBootstrapServers())
                : RunningSystem.platform().kafka(user, Map.of());
    }

    /** Kafka's own among them. */
    private static Set<String> allTopics() throws ExecutionException, InterruptedException {
        return RunningSystem.platform()
                .admin()
                .listTopics(new ListTopicsOptions().listInternal(true))
                .names()
                .get();
    }

    /** Empty if the user may not even know of the topic. */
    private static Optional<Set<AclOperation>> operations(Admin client, String topic)
            throws ExecutionException, InterruptedException {
        try {
            return Optional.of(
                    client.describeTopics(List.of(topic), new DescribeTopicsOptions().includeAuthorizedOperations(true))
                            .topicNameValues()
                            .get(topic)
                            .get()
                            .authorizedOperations());
        } catch (ExecutionException e) {
            if (e.getCause() instanceof TopicAuthorizationException) {
                return Optional.empty();
            }
            throw e;
        }
    }

    /** To ask for committed offsets takes the right that joining implies, and no rule grants it alone. */
    private static boolean mayJoin(Admin client, String group) {
        try {
            client.listConsumerGroupOffsets(group)
                    .partitionsToOffsetAndMetadata()
                    .get();
            return true;
        } catch (ExecutionException e) {
            if (e.getCause() instanceof GroupAuthorizationException) {
                return false;
            }
            throw new IllegalStateException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    /** A row for another topic would stop the relay, and with it all events behind. */
    @ParameterizedTest
    @CsvSource({
        "orders, order-service",
        "inventory, inventory-service",
        "payments, payment-service",
        "notifications, notification-service"
    })
    void an_outbox_takes_rows_for_the_topics_that_its_relay_may_write_to(String database, String service)
            throws Exception {
        try (var relay = Admin.create(settings("relay-" + database))) {
            for (String topic : allTopics()) {
                var writes = operations(relay, topic).map(may -> may.contains(AclOperation.WRITE));
                assertThat(takes(database, service, topic)).as(topic).isEqualTo(writes.orElse(false));
            }
        }
    }

    private static boolean takes(String database, String service, String topic) throws SQLException {
        try (var app = RunningSystem.platform().connect(database, database + "_app");
                var insert = app.prepareStatement("""
                        INSERT INTO outbox (topic, key, type, source, version, schema, payload)
                        VALUES (?, 'k', 'Any', ?, 1, 1, '{}')
                        """)) {
            app.setAutoCommit(false);
            insert.setString(1, topic);
            insert.setString(2, service);
            var failure = catchThrowable(insert::executeUpdate);
            app.rollback();
            if (failure != null) {
                assertThat(failure).hasMessageContaining("violates check constraint \"outbox_topic");
            }
            return failure == null;
        }
    }

    private interface Attempt {
        void on(Admin client) throws ExecutionException, InterruptedException;
    }

    @ParameterizedTest(name = "{0} {1}")
    @MethodSource("attempts")
    void what_a_user_may_not_fails_and_changes_nothing(
            String user, String what, Attempt attempt, Class<? extends Exception> failure) {
        try (var client = Admin.create(settings(user))) {
            assertThat(failureOf(() -> attempt.on(client))).isInstanceOf(failure);
        }
    }

    /** What it comes from in the end. */
    static Throwable failureOf(ThrowingCallable call) {
        var failure = catchThrowable(call);
        while (failure != null && failure.getCause() != null) {
            failure = failure.getCause();
        }
        return failure;
    }

    private static Stream<Arguments> attempts() {
        var topic = TopicAuthorizationException.class;
        return Stream.of(
                attempt("payment-service", "publishes without its outbox", writing("payment-service"), topic),
                attempt("reader", "publishes", writing("reader"), topic),
                attempt("connect", "publishes as no relay", writing("connect"), topic),
                attempt(ANONYMOUS, "publishes", writing(ANONYMOUS), topic),
                attempt("reader", "reads customers", _ -> read("reader", "customer-service", null), topic),
                attempt(ANONYMOUS, "reads customers", _ -> read(ANONYMOUS, "customer-service", null), topic),
                attempt(
                        "inventory-service",
                        "joins the group of another",
                        _ -> read("inventory-service", ORDERS.topic(), "payment-consumer-group"),
                        GroupAuthorizationException.class),
                attempt(
                        "order-service",
                        "moves the group of another",
                        client -> client.alterConsumerGroupOffsets(
                                        "payment-consumer-group", Map.of(ORDERS, new OffsetAndMetadata(0)))
                                .all()
                                .get(),
                        GroupAuthorizationException.class),
                attempt(
                        "order-service",
                        "creates a topic",
                        client -> client.createTopics(List.of(new NewTopic("mine", 1, (short) 1)))
                                .all()
                                .get(),
                        topic),
                attempt(
                        "order-service",
                        "adds partitions",
                        client -> client.createPartitions(Map.of(ORDERS.topic(), NewPartitions.increaseTo(9)))
                                .all()
                                .get(),
                        topic),
                attempt(
                        "relay-orders",
                        "shortens retention",
                        client -> client.incrementalAlterConfigs(Map.of(
                                        new ConfigResource(ConfigResource.Type.TOPIC, ORDERS.topic()),
                                        List.of(new AlterConfigOp(
                                                new ConfigEntry("retention.ms", "1"), AlterConfigOp.OpType.SET))))
                                .all()
                                .get(),
                        topic),
                attempt(
                        "order-service",
                        "deletes a topic",
                        client -> client.deleteTopics(List.of(ORDERS.topic()))
                                .all()
                                .get(),
                        topic),
                attempt(
                        "connect",
                        "grants itself more",
                        client -> client.createAcls(List.of(new AclBinding(
                                        new ResourcePattern(ResourceType.TOPIC, "*", PatternType.LITERAL),
                                        new AccessControlEntry(
                                                "User:connect", "*", AclOperation.ALL, AclPermissionType.ALLOW))))
                                .all()
                                .get(),
                        ClusterAuthorizationException.class),
                attempt(
                        "reader",
                        "sets the password of the administrator",
                        client -> setPassword(client, KafkaLogin.ADMIN, "mine"),
                        ClusterAuthorizationException.class));
    }

    private static Arguments attempt(String user, String what, Attempt attempt, Class<? extends Exception> failure) {
        return Arguments.of(user, what, attempt, failure);
    }

    /** As one who wants an order confirmed that is not paid. */
    private static Attempt writing(String user) {
        return _ -> {
            var settings = new HashMap<>(settings(user));
            settings.put("enable.idempotence", false); // else one who may write nowhere is refused before
            try (var producer = new KafkaProducer<>(settings, new StringSerializer(), new StringSerializer())) {
                producer.send(new ProducerRecord<>(ORDERS.topic(), "order", "{}"))
                        .get();
            }
        };
    }

    /** @param group null to read without one */
    private static void read(String user, String topic, String group) {
        var settings = new HashMap<>(settings(user));
        if (group != null) {
            settings.put("group.id", group);
        }
        try (var consumer = new KafkaConsumer<>(settings, new StringDeserializer(), new StringDeserializer())) {
            if (group == null) {
                consumer.assign(List.of(new TopicPartition(topic, 0)));
                consumer.seekToBeginning(consumer.assignment());
            } else {
                consumer.subscribe(List.of(topic));
            }
            for (int i = 0; i < MAX_POLLS; i++) {
                assertThat(consumer.poll(Duration.ofSeconds(1))).isEmpty();
            }
        }
    }

    static void setPassword(Admin client, String user, String password)
            throws ExecutionException, InterruptedException {
        var credential = new ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096);
        client.alterUserScramCredentials(List.of(new UserScramCredentialUpsertion(user, credential, password)))
                .all()
                .get();
    }
}
