/**
 * {@code ./orderly}: one class for each command, which reads its options, calls the platform or the lab, and
 * prints. Ends with 0, with 1 when what was asked for failed, or with 2 after a mistake in the call.
 */
package dev.orderly.cli;
