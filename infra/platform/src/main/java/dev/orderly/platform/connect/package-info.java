/**
 * The relays: a Connect worker, and the reconciler that keeps one connector for each outbox as it should be.
 */
package dev.orderly.platform.connect;
