package dev.orderly.e2e;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.json.JsonMapper;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What others rely on: a consumer without any code of this repository understands the topic. It does not even
 * log in, on a platform that was started for such consumers.
 */
@EndToEnd
class PlainConsumerTest {

    private static final Duration MAX_WAIT = Duration.ofSeconds(20);
    /** To join the group, and after it has been left without a word. */
    private static final Duration JOINING = Duration.ofSeconds(120);
    /** Debian's, which sees Debian's libraries. */
    private static final String PYTHON = "/usr/bin/python3";
    /** So many that no partition is empty. */
    private static final int ORDERS = 20;

    @Test
    void a_consumer_in_the_payment_services_place_finds_every_orders_id_and_status() throws Exception {
        var shop = RunningSystem.shop(ORDERS + 1, 50_000);
        var placed = new HashSet<String>();
        for (int i = 0; i < ORDERS; i++) {
            var order = shop.order(1);
            shop.awaitEnd(order);
            placed.add(order);
        }
        var mine = new ArrayList<ConsumerRecord<String, String>>();

        // It joins beside the payment service, gets a share of the partitions, and reads them from the start.
        // It commits nothing, so the payment service goes on where it was.
        try (var consumer = new KafkaConsumer<>(
                Map.<String, Object>of(
                        "bootstrap.servers", RunningSystem.platform().openBootstrapServers(),
                        "group.id", "payment-consumer-group",
                        "enable.auto.commit", "false",
                        "auto.offset.reset", "earliest"),
                new StringDeserializer(),
                new StringDeserializer())) {
            consumer.subscribe(List.of("order-service"));
            await().atMost(MAX_WAIT).until(() -> {
                consumer.poll(Duration.ofMillis(100));
                return !consumer.assignment().isEmpty();
            });
            consumer.seekToBeginning(consumer.assignment());
            var ends = consumer.endOffsets(consumer.assignment());
            while (ends.entrySet().stream().anyMatch(end -> consumer.position(end.getKey()) < end.getValue())) {
                consumer.poll(Duration.ofMillis(200)).forEach(mine::add);
            }
        }

        // Other tests put on the topic what nobody can read, to see it parked.
        mine.removeIf(record -> !placed.contains(record.key()));
        var json = new JsonMapper();
        assertThat(mine).isNotEmpty();
        for (var record : mine) {
            var order = json.readTree(record.value());
            assertThat(order.path("id").asText()).isEqualTo(record.key());
            assertThat(order.path("status").asText())
                    .isIn(
                            "PENDING",
                            "RESERVED",
                            "OUT_OF_STOCK",
                            "PAID",
                            "DECLINED",
                            "CONFIRMED",
                            "REJECTED",
                            "CANCELLED",
                            "REFUNDED");
            for (var header : List.of("id", "type", "source", "version", "schema", "traceparent")) {
                assertThat(new String(record.headers().lastHeader(header).value(), UTF_8))
                        .as(header)
                        .isNotBlank();
            }
        }
        var after = shop.order(1);
        assertThat(shop.awaitEnd(after).path("status").asText()).isEqualTo("CONFIRMED");
    }

    /** On a stock Linux, with its own library: no codec, no login, nothing of this repository. */
    @Test
    void a_program_of_a_few_lines_of_python_takes_the_payment_services_place(@TempDir Path folder) throws Exception {
        assumeTrue(Program.succeeds(PYTHON, "-c", "import kafka"), "Debian's package python3-kafka is not installed");
        var platform = RunningSystem.platform();
        var shop = RunningSystem.shop(1_000, 1_000_000);
        var placed = new HashSet<String>();
        var command = new ArrayList<>(
                List.of(PYTHON, System.getProperty("orderly.checkout") + "/docs/clients/payment_consumer.py"));
        command.addAll(List.of(platform.openBootstrapServers().split(",")));
        var printed = folder.resolve("printed");
        var program = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .redirectOutput(printed.toFile())
                .start();
        try {
            // It gets some of the partitions, and what is placed there is not paid for.
            await().atMost(JOINING).pollInterval(Duration.ofMillis(500)).until(() -> {
                placed.add(shop.order(1));
                return Files.readAllLines(printed).stream()
                        .anyMatch(line -> placed.stream().anyMatch(id -> line.equals(id + " PENDING")));
            });
            var committed = committed(platform.admin());
            await().atMost(MAX_WAIT).until(() -> {
                placed.add(shop.order(1));
                return committed(platform.admin()) > committed;
            });
        } finally {
            program.destroy();
            program.waitFor();
            // Orders that nobody decides are a backlog, for which new ones are shed.
            for (var order : placed) {
                shop.cancel(order);
            }
        }

        // What it has committed is done, and payment-service goes on behind it.
        await().atMost(JOINING)
                .until(() ->
                        shop.awaitEnd(shop.order(1)).path("status").asText().equals("CONFIRMED"));
    }

    /** All partitions together. */
    private static long committed(Admin admin) throws ExecutionException, InterruptedException {
        return admin
                .listConsumerGroupOffsets("payment-consumer-group")
                .partitionsToOffsetAndMetadata()
                .get()
                .values()
                .stream()
                .mapToLong(OffsetAndMetadata::offset)
                .sum();
    }
}
