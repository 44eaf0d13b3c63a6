/**
 * Debezium's connector for PostgreSQL with a task that waits for events, and its router of an outbox for
 * payloads that are text or bytes; everything else of it as it is.
 */
package dev.orderly.relay;
