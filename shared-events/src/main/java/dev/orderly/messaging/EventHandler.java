package dev.orderly.messaging;

import dev.orderly.events.Event;
import java.sql.SQLException;
import java.util.List;
import java.util.Set;

/**
 * A service's reaction to what happens to orders, or to customers: one handler per consumer group.
 *
 * @param <E> the language of the topic that it reads
 */
public interface EventHandler<E extends Event> {

    /** Names the inbox of this handler; what is recorded under it never takes effect a second time. */
    String consumerGroup();

    /** The types that {@link #on} does something about; all others are skipped by their header, unread. */
    Set<Class<? extends E>> reactsTo();

    /**
     * Does the work of a batch: reads what it needs in one go, decides event by event, writes in one go.
     *
     * <p>Runs inside a transaction that also holds the inbox and the outbox, and may run again from the start after a
     * rollback, so its only effects are on this service's database. Each event is new, and the events of one order, or
     * customer, are in the order in which they happened.
     *
     * @return what is to be published in consequence, in order; it joins the trace of the event about the same
     * @throws SQLException when the database fails; the batch is repeated until it does not
     * @throws RuntimeException when an event cannot take effect; that event is parked, and those of the same key
     *     behind it
     */
    List<OutgoingEvent> on(List<IncomingEvent<E>> events) throws SQLException;
}
