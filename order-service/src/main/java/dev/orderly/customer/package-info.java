/**
 * The people behind the orders: who they are, whether their phone is theirs, and that they are forgotten when they want to
 * be. Personal data comes in here, goes out by the topic {@code customer-service} alone, and is shown to nobody. An order
 * knows a customer's id and nothing more; it needs no customer to be registered, and outlives them.
 */
package dev.orderly.customer;
