/**
 * Starts and supervises everything Orderly runs on, and the services themselves, as processes of this
 * machine: no Docker, nothing installed. What is started is data in {@code infra/}.
 *
 * <p>Read {@link dev.orderly.platform.Platform} for the order of the start, {@link
 * dev.orderly.platform.process.ProcessSupervisor} for restarts, and {@code guard.sh} for why no process is
 * ever orphaned.
 */
package dev.orderly.platform;
