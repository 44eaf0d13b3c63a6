package dev.orderly.messaging;

import static dev.orderly.testing.EventSamples.CUSTOMER_EVENTS;
import static dev.orderly.testing.EventSamples.ORDER;
import static dev.orderly.testing.EventSamples.ORDER_EVENTS;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.orderly.events.Event;
import dev.orderly.events.EventHeaders;
import dev.orderly.events.OrderEvent;
import dev.orderly.tracing.Traceparent;
import dev.orderly.tracing.Tracing;
import io.opentelemetry.api.trace.SpanContext;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.sdk.testing.exporter.InMemorySpanExporter;
import io.opentelemetry.sdk.trace.data.LinkData;
import io.opentelemetry.sdk.trace.data.SpanData;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.record.TimestampType;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class MessageSpansTest {

    private static final Duration MAX_WAIT = Duration.ofSeconds(30);
    private static final String SAMPLED = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    private static final String OTHER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    private static final String NOT_SAMPLED = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";

    private final InMemorySpanExporter exported = InMemorySpanExporter.create();
    private final Tracing tracing = Tracing.exportingTo(exported, 1);
    private final MessageSpans spans = new MessageSpans(tracing);

    /** One consumer group, of which nothing but the name matters. */
    private static final class Group extends EventHandler<OrderEvent> {
        private final boolean first;

        private Group(boolean first) {
            super(null, "some-group", Set.of());
            this.first = first;
        }

        @Override
        protected boolean isSecondReader() {
            return !first;
        }

        @Override
        public List<OutgoingEvent> on(List<IncomingEvent<OrderEvent>> events) {
            return List.of();
        }
    }

    @AfterEach
    void close() {
        tracing.close();
    }

    private SpanData only(String name) {
        return await().atMost(MAX_WAIT)
                .until(
                        () -> exported.getFinishedSpanItems().stream()
                                .filter(span -> span.getName().equals(name))
                                .toList(),
                        named -> named.size() == 1)
                .getFirst();
    }

    private static IncomingEvent<?> incoming(Event event, String traceparent) {
        return new IncomingEvent<>(event, UUID.randomUUID(), "some-service", 1, traceparent, 3, 42);
    }

    private static String attribute(SpanData span, String name) {
        return span.getAttributes().asMap().entrySet().stream()
                .filter(attribute -> attribute.getKey().getKey().equals(name))
                .map(attribute -> attribute.getValue().toString())
                .findFirst()
                .orElse(null);
    }

    @Test
    void what_an_event_is_created_by_is_its_parent_and_its_own_step_follows_from_it() {
        var traceparent = spans.created(ORDER_EVENTS.getFirst(), SAMPLED);

        var span = only("create order-service");
        assertThat(Traceparent.of(span.getSpanContext())).isEqualTo(traceparent);
        assertThat(parent(span)).isEqualTo(SAMPLED);
        assertThat(span.getKind()).isEqualTo(SpanKind.PRODUCER);
        assertThat(attribute(span, "messaging.system")).isEqualTo("kafka");
        assertThat(attribute(span, "messaging.operation.type")).isEqualTo("create");
        assertThat(attribute(span, "messaging.destination.name")).isEqualTo("order-service");
        assertThat(attribute(span, "orderly.event.type")).isEqualTo("OrderPlaced");
        assertThat(attribute(span, "orderly.order.id")).isEqualTo(ORDER.toString());
    }

    private static String parent(SpanData span) {
        return Traceparent.of(span.getParentSpanContext());
    }

    @Test
    void nothing_is_made_for_a_trace_that_is_not_sampled() {
        assertThat(spans.created(ORDER_EVENTS.getFirst(), NOT_SAMPLED))
                .startsWith(NOT_SAMPLED.substring(0, 36))
                .endsWith("-00");
        assertThat(spans.created(ORDER_EVENTS.getFirst(), null)).endsWith("-00");
        var events = List.<IncomingEvent<?>>of(incoming(ORDER_EVENTS.getFirst(), NOT_SAMPLED));
        assertThat(spans.process(events, new Group(true))).isSameAs(MessageSpans.Batch.NONE);

        spans.created(ORDER_EVENTS.getFirst(), SAMPLED); // after it, all that came before is exported
        only("create order-service");
        assertThat(exported.getFinishedSpanItems()).hasSize(1);
    }

    @Test
    void a_batch_is_one_span_with_a_link_to_each_event_that_is_sampled() {
        var events = List.<IncomingEvent<?>>of(
                incoming(ORDER_EVENTS.get(0), SAMPLED),
                incoming(ORDER_EVENTS.get(1), NOT_SAMPLED),
                incoming(ORDER_EVENTS.get(2), OTHER));

        var batch = spans.process(events, new Group(true));
        var steps = events.stream().map(batch::traceparent).toList();
        batch.end();

        var whole = only("batch order-service");
        assertThat(whole.getParentSpanContext()).isEqualTo(SpanContext.getInvalid());
        assertThat(whole.getLinks().stream().map(LinkData::getSpanContext).map(Traceparent::of))
                .containsExactly(SAMPLED, OTHER);
        assertThat(attribute(whole, "messaging.batch.message_count")).isEqualTo("3");
        var processed = exported.getFinishedSpanItems().stream()
                .filter(span -> span.getName().equals("process order-service"))
                .toList();
        assertThat(processed).extracting(MessageSpansTest::parent).containsExactlyInAnyOrder(SAMPLED, OTHER);
        assertThat(processed).allSatisfy(span -> {
            assertThat(span.getKind()).isEqualTo(SpanKind.CONSUMER);
            assertThat(attribute(span, "messaging.consumer.group.name")).isEqualTo("some-group");
            assertThat(span.getLinks()).extracting(LinkData::getSpanContext).containsExactly(whole.getSpanContext());
        });
        assertThat(steps.get(1)).isEqualTo(NOT_SAMPLED);
        assertThat(processed)
                .extracting(span -> Traceparent.of(span.getSpanContext()))
                .containsExactlyInAnyOrder(steps.get(0), steps.get(2));
    }

    @Test
    void a_second_reader_of_the_topic_adds_nothing_to_traces_of_long_ago() {
        var events = List.<IncomingEvent<?>>of(incoming(ORDER_EVENTS.getFirst(), SAMPLED));

        assertThat(spans.process(events, new Group(false))).isSameAs(MessageSpans.Batch.NONE);
    }

    @Test
    void an_event_is_sent_from_when_its_row_was_written_until_it_was_on_the_topic() {
        var written = Instant.parse("2026-11-23T10:15:30.123Z");

        spans.sent(record(written.toEpochMilli() << 16 | 0x7000, written.plusMillis(12)));

        var span = only("send order-service");
        assertThat(parent(span)).isEqualTo(SAMPLED);
        assertThat(span.getStartEpochNanos()).isEqualTo(TimeUnit.MILLISECONDS.toNanos(written.toEpochMilli()));
        assertThat(span.getEndEpochNanos() - span.getStartEpochNanos()).isEqualTo(TimeUnit.MILLISECONDS.toNanos(12));
    }

    @Test
    void a_record_whose_id_says_no_time_is_left_out() {
        spans.sent(record(0x4000, Instant.EPOCH));
        spans.created(ORDER_EVENTS.getFirst(), SAMPLED);

        only("create order-service");
        assertThat(exported.getFinishedSpanItems()).hasSize(1);
    }

    private static ConsumerRecord<String, byte[]> record(long idBits, Instant sentAt) {
        var headers = new RecordHeaders()
                .add(EventHeaders.TRACEPARENT, SAMPLED.getBytes(UTF_8))
                .add(
                        EventHeaders.ID,
                        new UUID(idBits, Long.MIN_VALUE).toString().getBytes(UTF_8));
        return new ConsumerRecord<>(
                "order-service",
                3,
                42,
                sentAt.toEpochMilli(),
                TimestampType.CREATE_TIME,
                -1,
                -1,
                ORDER.toString(),
                new byte[0],
                headers,
                Optional.empty());
    }

    @Test
    void of_a_person_no_span_says_anything() {
        CUSTOMER_EVENTS.forEach(event -> spans.created(event, SAMPLED));
        var batch = spans.process(
                CUSTOMER_EVENTS.stream()
                        .<IncomingEvent<?>>map(event -> incoming(event, SAMPLED))
                        .toList(),
                new Group(true));
        batch.end();

        only("batch customer-service");
        assertThat(exported.getFinishedSpanItems())
                .hasSize(2 * CUSTOMER_EVENTS.size() + 1)
                .allSatisfy(span -> assertThat(span.toString())
                        .doesNotContain(CUSTOMER_EVENTS.getFirst().id().toString(), "Ada", "ada@", "+49"));
    }
}
