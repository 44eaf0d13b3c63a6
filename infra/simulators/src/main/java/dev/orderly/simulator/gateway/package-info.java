/**
 * A payment gateway for machines without one: it knows nothing of the rest of the system, accepts card
 * payments over HTTP, and fails in the ways that real ones do. Its journal of what it has done is what our
 * ledger is compared with.
 *
 * <p>The card token chooses how it behaves, see {@link dev.orderly.simulator.gateway.TestCard}; a fault does
 * so for all payments for some time.
 */
package dev.orderly.simulator.gateway;
