/**
 * What makes events reliable, said once: the {@link dev.orderly.messaging.Outbox outbox} that publishes them,
 * the {@link dev.orderly.messaging.EventConsumer consumer} that lets each take effect exactly once and in
 * order, and the {@link dev.orderly.messaging.ParkedEvents parking lot} for those that cannot take effect.
 *
 * <p>A service implements an {@link dev.orderly.messaging.EventHandler} and never sees a transaction, an
 * acknowledgement or a retry. Nothing here knows an event by name: what differs by topic is the policy of its
 * {@link dev.orderly.events.Topic}.
 */
package dev.orderly.messaging;
