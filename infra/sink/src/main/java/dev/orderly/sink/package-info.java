/** Debezium's connector that writes to a database, with a task that survives its failures. */
package dev.orderly.sink;
