/**
 * What clients log: taken in by HTTP, held by a topic, kept in a table. Knows nothing of orders or letters; it lives in this
 * service since a burst of logs may slow mail down, and never an order.
 */
package dev.orderly.clientlog;
