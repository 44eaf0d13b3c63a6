/**
 * Stand-ins for the world outside, in one process: a payment gateway, an SMS provider, a mail server and an
 * identity provider.
 */
package dev.orderly.simulator;
