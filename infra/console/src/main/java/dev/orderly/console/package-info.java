/**
 * The system in the browser. It talks to the services by their public HTTP interface, with the token of
 * who is logged in, and to the brokers as a user that may only read. No service knows it.
 */
package dev.orderly.console;
