/** The language that the services share: what happens to orders and customers, and how that looks on the wire. */
package dev.orderly.events;
