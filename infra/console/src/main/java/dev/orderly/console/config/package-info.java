/** Where the parts of the system are, and whether this is a demo. */
package dev.orderly.console.config;
