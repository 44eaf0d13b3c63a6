/**
 * How one order is followed through all services: the trace it belongs to, its spans, and its lines in the
 * log.
 */
package dev.orderly.tracing;
