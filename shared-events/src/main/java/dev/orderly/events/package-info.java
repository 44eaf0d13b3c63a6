/** The events that services agree on: what happens to orders and customers, and their wire format. */
package dev.orderly.events;
