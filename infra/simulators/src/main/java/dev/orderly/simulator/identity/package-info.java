/** An identity provider: tokens for a handful of named people, and for any customer. */
package dev.orderly.simulator.identity;
