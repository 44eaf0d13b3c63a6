package dev.orderly.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.orderly.platform.config.Checkout;
import dev.orderly.platform.observe.Observability;
import dev.orderly.testkit.OrderlyCommand;
import dev.orderly.testkit.RunningPlatform;
import java.io.IOException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What an operator sees: metrics as documented, dashboards without an empty panel, consumer groups. */
@EndToEnd
class ObservabilityTest {

    private static final Duration MAX_WAIT = Duration.ofSeconds(120);
    private static final Path METRICS = Checkout.path().resolve("docs/reference/metrics.md");
    private static final Path DASHBOARDS = Checkout.path().resolve("infra/observability/grafana/dashboards");
    private static final JsonMapper JSON = new JsonMapper();

    private static final Pattern EXPOSED =
            Pattern.compile("^(orderly_\\w+?)(_count|_sum|_max)?[{ ]", Pattern.MULTILINE);
    private static final Pattern DOCUMENTED = Pattern.compile("`(orderly_\\w+)(?:\\{[\\w,]*\\})?`( †)?");

    private static Shop shop;

    @BeforeAll
    static void everything_has_happened_once() throws Exception {
        shop = RunningSystem.shop(1_000, 10_000_000);
        var paid = shop.order(1);
        var byCard = shop.orderByCard(1, "tok_ok");
        shop.awaitEnd(paid);
        shop.awaitEnd(byCard);
        shop.assertMailed(paid, "CONFIRMED");
    }

    @Test
    void every_metric_of_a_service_is_documented_and_every_one_that_is_documented_exists() throws Exception {
        var platform = RunningSystem.platform();
        var documented = new TreeMap<String, Boolean>();
        names(DOCUMENTED, Files.readString(METRICS))
                .forEach(name -> documented.put(name.group(1), name.group(2) == null));

        await().atMost(MAX_WAIT).untilAsserted(() -> {
            var exposed = new TreeSet<String>();
            for (var service : RunningPlatform.SERVICES) {
                var metrics = platform.askManagement(service, "/q/metrics").orElse("");
                names(EXPOSED, metrics).forEach(name -> exposed.add(name.group(1)));
            }
            assertThat(documented.keySet()).containsAll(exposed);
            assertThat(exposed).containsAll(alwaysThere(documented));
        });
    }

    @Test
    void orders_are_counted_by_what_became_of_them() throws Exception {
        var metrics = RunningSystem.platform()
                .askManagement("order-service", "/q/metrics")
                .orElse("");

        assertThat(number(metrics, "orderly_orders_accepted_total")).isGreaterThanOrEqualTo(2);
        assertThat(number(metrics, "orderly_orders_decided_total{outcome=\"confirmed\"}"))
                .isGreaterThanOrEqualTo(2);
    }

    private static double number(String metrics, String name) {
        return metrics.lines()
                .filter(line -> line.startsWith(name + " "))
                .mapToDouble(line -> Double.parseDouble(line.substring(name.length() + 1)))
                .findFirst()
                .orElseThrow();
    }

    /** What services have from their start on; what the launcher has is documented in the last chapter. */
    private static Set<String> alwaysThere(Map<String, Boolean> documented) throws IOException {
        var text = Files.readString(METRICS);
        var ofLauncher = names(DOCUMENTED, text.substring(text.indexOf("## The launcher")))
                .map(name -> name.group(1))
                .collect(Collectors.toSet());
        return documented.entrySet().stream()
                .filter(name -> name.getValue() && !ofLauncher.contains(name.getKey()))
                .map(Map.Entry::getKey)
                .collect(Collectors.toSet());
    }

    private static Stream<MatchResult> names(Pattern pattern, String text) {
        return pattern.matcher(text).results();
    }

    @Test
    void every_panel_of_every_dashboard_has_a_sample() throws Exception {
        assumeTrue(Observability.missing().isEmpty(), "not installed: " + Observability.missing());
        var expressions = new TreeSet<String>();
        try (var files = Files.newDirectoryStream(DASHBOARDS, "*.json")) {
            for (var file : files) {
                expressions.addAll(JSON.readTree(file.toFile()).findValuesAsText("expr"));
            }
        }
        assertThat(expressions).hasSizeGreaterThan(50);

        await().atMost(MAX_WAIT).pollInterval(Duration.ofSeconds(2)).untilAsserted(() -> {
            shop.order(1); // a rate has a sample only if something was counted twice
            shop.orderByCard(1, "tok_ok");
            var empty = new TreeSet<String>();
            for (var expression : expressions) {
                if (!hasSample(expression)) {
                    empty.add(expression);
                }
            }
            assertThat(empty).isEmpty();
        });
    }

    private static boolean hasSample(String expression) throws InterruptedException, IOException {
        var query = "/api/v1/query?query=" + URLEncoder.encode(expression, StandardCharsets.UTF_8);
        var answer = JSON.readTree(RunningSystem.platform()
                .ask("GET", RunningSystem.platform().url("prometheus", query), null)
                .orElse("{}"));
        for (JsonNode sample : answer.at("/data/result")) {
            if (!sample.at("/value/1").asText().equals("NaN")) {
                return true;
            }
        }
        return false;
    }

    @Test
    void what_is_not_installed_is_said_before_anything_is_started(@TempDir Path folder) throws Exception {
        var arguments = List.of("up", "--observe", "--free-ports", "--data=" + folder.resolve("state"));
        try (var command = OrderlyCommand.start(Map.of("PATH", "/nowhere"), arguments)) {
            var result = command.end();

            assertThat(result.output())
                    .contains("apt-get install --no-install-recommends prometheus prometheus-alertmanager"
                            + " prometheus-postgres-exporter")
                    .doesNotContain("ready after");
            assertThat(result.exitCode()).isEqualTo(1);
        }
    }

    @Test
    void a_group_without_members_can_be_removed_and_one_of_a_service_cannot() throws Exception {
        var platform = RunningSystem.platform();
        var dead = "reader-" + System.nanoTime();
        platform.admin()
                .alterConsumerGroupOffsets(
                        dead, Map.of(new TopicPartition(RunningPlatform.TOPIC, 0), new OffsetAndMetadata(0)))
                .all()
                .get();

        assertThat(RunningSystem.orderly("groups").lines())
                .anyMatch(line -> line.contains(dead) && line.contains("removable"))
                .anyMatch(line -> line.contains("payment-consumer-group")
                        && line.contains("stable")
                        && !line.contains("never")
                        && !line.contains("removable"));
        assertThat(RunningSystem.orderly("groups", "--remove-dead"))
                .contains("would remove " + dead, "nothing was removed")
                .doesNotContain("consumer-group");
        assertThat(RunningSystem.orderly("groups", "--remove-dead", "--yes")).contains("removed " + dead);
        assertThat(RunningSystem.orderly("groups"))
                .contains("payment-consumer-group")
                .doesNotContain(dead);
    }
}
