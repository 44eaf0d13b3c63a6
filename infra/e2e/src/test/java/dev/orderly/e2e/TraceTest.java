package dev.orderly.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * The trace of an order, read where the spans of all services come together. With {@code
 * -Dorderly.zipkin=true} that is Zipkin.
 */
@EndToEnd
class TraceTest {

    private static final Duration MAX_WAIT = Duration.ofSeconds(120);
    private static final String CALLER = "00f067aa0ba902b7";

    /** Each span behind the one that it follows from. */
    private static final List<String> WAY_OF_AN_ORDER_BY_CARD = List.of(
            "caller > order-service: post /orders",
            "order-service: post /orders > order-service: create OrderPlaced",
            "order-service: create OrderPlaced > order-service: send",
            "order-service: create OrderPlaced > inventory-service: process OrderPlaced, inventory-consumer-group",
            "order-service: create OrderPlaced > order-service: process OrderPlaced, order-view-consumer-group",
            "inventory-service: process OrderPlaced, inventory-consumer-group > inventory-service:"
                    + " create StockReserved",
            "inventory-service: create StockReserved > inventory-service: send",
            "inventory-service: create StockReserved > payment-service: process StockReserved, payment-consumer-group",
            "inventory-service: create StockReserved > order-service: process StockReserved, order-view-consumer-group",
            "inventory-service: create StockReserved > payment-service: capture payment",
            "inventory-service: create StockReserved > payment-service: create PaymentCaptured",
            "payment-service: create PaymentCaptured > payment-service: send",
            "payment-service: create PaymentCaptured > order-service: process PaymentCaptured, order-consumer-group",
            "payment-service: create PaymentCaptured > order-service: process PaymentCaptured,"
                    + " order-view-consumer-group",
            "order-service: process PaymentCaptured, order-consumer-group > order-service: create OrderConfirmed",
            "order-service: create OrderConfirmed > order-service: send",
            "order-service: create OrderConfirmed > inventory-service: process OrderConfirmed,"
                    + " inventory-consumer-group",
            "order-service: create OrderConfirmed > order-service: process OrderConfirmed, order-view-consumer-group",
            "order-service: create OrderConfirmed > notification-service: process OrderConfirmed,"
                    + " notification-consumer-group",
            "order-service: create OrderConfirmed > notification-service: send mail");

    @Test
    void the_trace_of_an_order_leads_from_the_request_through_every_service_to_the_mail() throws Exception {
        var shop = RunningSystem.shop(10, 0);
        var trace = newTraceId();

        var order = shop.orderByCard(1, "tok_ok", "00-" + trace + "-" + CALLER + "-01");

        assertThat(shop.awaitEnd(order.id()).path("status").asText()).isEqualTo("CONFIRMED");
        assertThat(order.traceresponse()).startsWith("00-" + trace).endsWith("-01");
        await().atMost(MAX_WAIT).untilAsserted(() -> assertThat(steps(trace)).containsAll(WAY_OF_AN_ORDER_BY_CARD));
        var spans = RunningSystem.traces().trace(trace);
        assertThat(spans)
                .filteredOn(span -> span.path("name").asText().startsWith("process"))
                .allSatisfy(span -> {
                    assertThat(span.at("/tags/messaging.message.id").asText()).isNotEmpty();
                    assertThat(span.at("/tags/orderly.order.id").asText()).isEqualTo(order.id());
                    assertIsLinkedFromItsBatch(span);
                });
        assertThat(spans.toString()).as("no person, no card").doesNotContain(shop.customer, "tok_ok");
    }

    private static String newTraceId() {
        var random = ThreadLocalRandom.current();
        return "%016x%016x".formatted(random.nextLong(), random.nextLong());
    }

    private static List<String> steps(String trace) throws InterruptedException, IOException {
        var spans = RunningSystem.traces().trace(trace).stream()
                .collect(Collectors.toMap(span -> span.path("id").asText(), Function.identity(), (_, last) -> last));
        return spans.values().stream()
                .map(span -> {
                    var parent = span.path("parentId").asText();
                    return (parent.equals(CALLER) ? "caller" : described(spans.get(parent))) + " > " + described(span);
                })
                .toList();
    }

    /** Zipkin writes names in lower case. */
    private static String described(JsonNode span) {
        if (span == null) {
            return "unknown";
        }
        var name = span.path("name").asText().toLowerCase(Locale.ROOT).replaceFirst(" order-service$", "");
        return Stream.of(
                        span.at("/localEndpoint/serviceName").asText() + ": " + name,
                        tag(span, "orderly.event.type", " "),
                        tag(span, "messaging.consumer.group.name", ", "))
                .collect(Collectors.joining());
    }

    private static String tag(JsonNode span, String name, String before) {
        var tag = span.path("tags").path(name).asText();
        return tag.isEmpty() ? "" : before + tag;
    }

    private static void assertIsLinkedFromItsBatch(JsonNode process) throws InterruptedException, IOException {
        var link = process.path("tags").path("otel.links").asText().split("-");
        await().atMost(MAX_WAIT)
                .untilAsserted(() -> assertThat(RunningSystem.traces().trace(link[0]))
                        .singleElement()
                        .satisfies(batch -> {
                            assertThat(batch.path("id").asText()).isEqualTo(link[1]);
                            assertThat(batch.path("name").asText()).isEqualTo("batch order-service");
                            assertThat(batch.path("tags").path("otel.links").asText())
                                    .contains(process.path("traceId").asText() + "-"
                                            + process.path("parentId").asText());
                        }));
    }

    @Test
    void of_an_order_that_is_not_sampled_there_is_no_span() throws Exception {
        var shop = RunningSystem.shop(10, 5000);
        var trace = newTraceId();

        var order = shop.order(1, "00-" + trace + "-" + CALLER + "-00");
        assertThat(shop.awaitEnd(order.id()).path("status").asText()).isEqualTo("CONFIRMED");
        shop.assertMailed(order.id(), "CONFIRMED");
        var later = newTraceId();
        var sampled = shop.order(1, "00-" + later + "-" + CALLER + "-01");

        assertThat(order.traceresponse()).startsWith("00-" + trace).endsWith("-00");
        assertThat(shop.awaitEnd(sampled.id()).path("status").asText()).isEqualTo("CONFIRMED");
        await().atMost(MAX_WAIT)
                .untilAsserted(() -> assertThat(steps(later)).anyMatch(step -> step.endsWith("send mail")));
        assertThat(steps(trace)).isEmpty();
    }
}
