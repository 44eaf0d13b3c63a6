package dev.orderly.order.view;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonRawValue;
import dev.orderly.events.Money;
import dev.orderly.events.OrderEvent.Line;
import dev.orderly.events.OrderStatus;
import dev.orderly.events.PaymentMethod;
import java.time.Instant;
import java.util.List;
import java.util.UUID;
import org.eclipse.microprofile.openapi.annotations.media.Schema;

/**
 * An order as the read side shows it.
 *
 * @param lines JSON as in the event, passed through without parsing
 * @param timeline its events, first to last; absent in a list
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record OrderView(
        UUID id,
        UUID customerId,
        OrderStatus status,
        String reason,
        @JsonRawValue @Schema(implementation = Line[].class) String lines,
        Money total,
        PaymentMethod paymentMethod,
        Instant placedAt,
        List<TimelineEntry> timeline) {

    /**
     * An event of the order.
     *
     * @param position 1, 2, 3 … within the order
     * @param version 1, 2, 3 … within the order and the source
     */
    public record TimelineEntry(
            int position,
            String type,
            OrderStatus status,
            String source,
            int version,
            Instant occurredAt,
            int partition,
            long offset) {}
}
