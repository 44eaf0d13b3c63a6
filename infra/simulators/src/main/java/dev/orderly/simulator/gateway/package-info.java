/**
 * A payment gateway to try against: a program of its own, which knows nothing of the rest, takes card payments over HTTP, and
 * is as unpleasant as real ones are. It keeps a log of what it has done, which is what our ledger is compared with.
 *
 * <p>How it behaves is chosen by the card token, see {@link dev.orderly.simulator.gateway.TestCard}, or for a while for all of them.
 */
package dev.orderly.simulator.gateway;
