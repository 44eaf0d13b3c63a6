package dev.orderly.messaging;

import static io.opentelemetry.api.common.AttributeKey.longKey;
import static io.opentelemetry.api.common.AttributeKey.stringKey;

import dev.orderly.events.Event;
import dev.orderly.events.EventHeaders;
import dev.orderly.tracing.Traceparent;
import dev.orderly.tracing.Tracing;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanBuilder;
import io.opentelemetry.api.trace.SpanKind;
import jakarta.enterprise.context.ApplicationScoped;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/**
 * The spans of events, by the <a href="https://opentelemetry.io/docs/specs/semconv/messaging/">semantic
 * conventions for messaging</a>. An event is followed from its creation by {@code send}, the time until the
 * relay had it on the topic, and by a {@code process} for each group that handles it; all three are in the
 * trace of what caused the event. What a batch has in common is one span, in a trace of its own, with a link
 * to each event.
 */
@ApplicationScoped
class MessageSpans {

    private static final AttributeKey<String> SYSTEM = stringKey("messaging.system");
    private static final AttributeKey<String> OPERATION = stringKey("messaging.operation.name");
    private static final AttributeKey<String> OPERATION_TYPE = stringKey("messaging.operation.type");
    private static final AttributeKey<String> DESTINATION = stringKey("messaging.destination.name");
    private static final AttributeKey<String> PARTITION = stringKey("messaging.destination.partition.id");
    private static final AttributeKey<Long> OFFSET = longKey("messaging.kafka.offset");
    private static final AttributeKey<String> GROUP = stringKey("messaging.consumer.group.name");
    private static final AttributeKey<Long> BATCH_SIZE = longKey("messaging.batch.message_count");
    private static final AttributeKey<String> MESSAGE_ID = stringKey("messaging.message.id");
    private static final AttributeKey<String> EVENT_TYPE = stringKey("orderly.event.type");

    private final Tracing tracing;

    MessageSpans(Tracing tracing) {
        this.tracing = tracing;
    }

    /**
     * The step in a trace that is an event's own: what comes of the event follows from it.
     *
     * @param cause the step that the event follows from, or null
     */
    String created(Event event, String cause) {
        if (!tracing.follows(cause)) {
            return Traceparent.following(cause);
        }
        var topic = event.topic().topicName();
        var span = tracing.span("create " + topic, SpanKind.PRODUCER, cause);
        described(span, "create", "create", topic)
                .setAttribute(EVENT_TYPE, event.getClass().getSimpleName());
        var created = withOrder(span, event).startSpan();
        created.end();
        return Traceparent.of(created.getSpanContext());
    }

    /**
     * From the outbox to the topic. The relay itself has no part in it: the id of the event says when its row
     * was written, and the record when it was sent.
     *
     * @param record that the relay of this service has sent
     */
    void sent(ConsumerRecord<String, byte[]> record) {
        if (!tracing.isOn()) {
            return;
        }
        var traceparent = ConsumedRecord.header(record, EventHeaders.TRACEPARENT);
        if (!tracing.follows(traceparent)) {
            return;
        }
        var id = ConsumedRecord.header(record, EventHeaders.ID);
        var writtenAt = millis(id);
        if (writtenAt == 0) {
            return;
        }
        var span = tracing.span("send " + record.topic(), SpanKind.PRODUCER, traceparent);
        described(span, "send", "send", record.topic())
                .setAttribute(MESSAGE_ID, id)
                .setAttribute(PARTITION, String.valueOf(record.partition()))
                .setAttribute(OFFSET, record.offset())
                .setStartTimestamp(writtenAt, TimeUnit.MILLISECONDS)
                .startSpan()
                .end(Math.max(writtenAt, record.timestamp()), TimeUnit.MILLISECONDS);
    }

    /** When an id was made, or 0 when it is not one of an outbox. */
    private static long millis(String id) {
        try {
            var uuid = UUID.fromString(String.valueOf(id));
            return uuid.version() == 7 ? uuid.getMostSignificantBits() >>> 16 : 0;
        } catch (IllegalArgumentException _) {
            return 0;
        }
    }

    /** The spans of events while they are handled together; what is not followed has none. */
    record Batch(Span whole, Map<UUID, Span> events) {

        static final Batch NONE = new Batch(Span.getInvalid(), Map.of());

        /** The step that follows from this event. */
        String traceparent(IncomingEvent<?> event) {
            var span = events.get(event.eventId());
            return span == null ? event.traceparent() : Traceparent.of(span.getSpanContext());
        }

        /** When the transaction has been committed; those of one that was rolled back are never ended. */
        void end() {
            events.values().forEach(Span::end);
            whole.end();
        }
    }

    /**
     * Begins the spans of new events that are handled in one transaction. Nothing is made for events that are
     * not followed. Nor for a second reader of a topic, such as a rebuild of the view: it would add itself to
     * traces of long ago.
     */
    Batch process(List<IncomingEvent<?>> events, EventHandler<?> handler) {
        if (!tracing.isOn() || handler.isSecondReader()) {
            return Batch.NONE;
        }
        SpanBuilder whole = null;
        for (var event : events) {
            if (tracing.follows(event.traceparent())) {
                if (whole == null) {
                    whole = batch(events, handler);
                }
                whole.addLink(Tracing.context(event.traceparent()));
            }
        }
        if (whole == null) {
            return Batch.NONE;
        }
        var batch = whole.startSpan();
        var spans = new HashMap<UUID, Span>();
        for (var event : events) {
            if (tracing.follows(event.traceparent())) {
                spans.put(
                        event.eventId(),
                        process(event, handler).addLink(batch.getSpanContext()).startSpan());
            }
        }
        return new Batch(batch, spans);
    }

    private SpanBuilder batch(List<IncomingEvent<?>> events, EventHandler<?> handler) {
        var topic = events.getFirst().event().topic().topicName();
        return described(tracing.root("batch " + topic, SpanKind.CONSUMER), "batch", "process", topic)
                .setAttribute(GROUP, handler.consumerGroup())
                .setAttribute(BATCH_SIZE, (long) events.size());
    }

    private SpanBuilder process(IncomingEvent<?> incoming, EventHandler<?> handler) {
        var topic = incoming.event().topic().topicName();
        var span = tracing.span("process " + topic, SpanKind.CONSUMER, incoming.traceparent());
        described(span, "process", "process", topic)
                .setAttribute(GROUP, handler.consumerGroup())
                .setAttribute(MESSAGE_ID, incoming.eventId().toString())
                .setAttribute(PARTITION, String.valueOf(incoming.partition()))
                .setAttribute(OFFSET, incoming.offset())
                .setAttribute(EVENT_TYPE, incoming.event().getClass().getSimpleName());
        return withOrder(span, incoming.event());
    }

    private static SpanBuilder described(SpanBuilder span, String operation, String type, String topic) {
        return span.setAttribute(SYSTEM, "kafka")
                .setAttribute(OPERATION, operation)
                .setAttribute(OPERATION_TYPE, type)
                .setAttribute(DESTINATION, topic);
    }

    /** Of events about a person, no key: it is the customer's. */
    private static SpanBuilder withOrder(SpanBuilder span, Event event) {
        return event.topic().isErasable()
                ? span
                : span.setAttribute(Tracing.ORDER_ID, event.id().toString());
    }
}
