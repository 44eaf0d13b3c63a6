/** Gives way to orders that are late: what no customer waits for is paused, and goes on where it was. */
package dev.orderly.noncore;
