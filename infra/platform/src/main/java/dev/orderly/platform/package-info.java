/**
 * Starts and watches everything Orderly runs on, and the services themselves, as processes of this machine: no Docker,
 * nothing installed. What is started is data in {@code infra/}; this package knows how.
 *
 * <p>Read {@link dev.orderly.platform.Platform} for the order of things, {@link dev.orderly.platform.Supervisor} for what
 * keeps them up, and {@code guard.sh} for why nothing is ever left running.
 */
package dev.orderly.platform;
