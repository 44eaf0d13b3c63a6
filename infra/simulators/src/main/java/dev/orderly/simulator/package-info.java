/** Stand-ins for the world outside, in one process: a payment gateway, an SMS provider and a mail server. */
package dev.orderly.simulator;
