/**
 * Ingests client logs: received by HTTP, buffered by a topic, written to a table. Independent of
 * notifications; it lives in this service because of what a burst of logs may slow down: mail, for which no
 * customer waits, but never an order (ADR 15).
 */
package dev.orderly.clientlog;
