/**
 * Processes of the operating system: start, wait until ready, restart after a failure, stop in order, and
 * the status file that other commands read.
 */
package dev.orderly.platform.process;
