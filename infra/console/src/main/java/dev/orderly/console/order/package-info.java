/** One order: what it left on the topic, in the databases and in the outside world. */
package dev.orderly.console.order;
