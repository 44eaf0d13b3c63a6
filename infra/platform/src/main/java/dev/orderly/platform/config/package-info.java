/**
 * Where everything is and what it is started with: checkout, state directory, ports, secrets, flags of the
 * JVMs.
 */
package dev.orderly.platform.config;
