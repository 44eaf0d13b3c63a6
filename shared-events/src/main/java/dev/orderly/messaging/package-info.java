/**
 * What makes events reliable, said once: the {@link dev.orderly.messaging.Outbox outbox} that publishes them, the
 * {@link dev.orderly.messaging.EventConsumer consumer} that lets each take effect exactly once and in order, and the
 * {@link dev.orderly.messaging.ParkedEvents parking place} for those that cannot take effect at all.
 *
 * <p>A service brings a {@link dev.orderly.messaging.EventHandler handler} and never sees a transaction, an
 * acknowledgement or a retry.
 */
package dev.orderly.messaging;
