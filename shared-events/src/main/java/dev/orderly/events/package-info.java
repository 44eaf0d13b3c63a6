/** The language that the services share: what happens to an order, and how that looks on the wire. */
package dev.orderly.events;
