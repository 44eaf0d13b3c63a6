/** The HTTP server that the simulators share. */
package dev.orderly.simulator.http;
