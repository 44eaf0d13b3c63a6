/** Debezium's connector for PostgreSQL with a task that waits for events; everything else of it as it is. */
package dev.orderly.relay;
