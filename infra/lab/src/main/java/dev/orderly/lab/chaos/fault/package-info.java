/**
 * The faults: what is killed, paused, cut off, repeated or poisoned, and how it is undone. Also the
 * mutations, which break the services on purpose, to prove that the checks find it.
 */
package dev.orderly.lab.chaos.fault;
