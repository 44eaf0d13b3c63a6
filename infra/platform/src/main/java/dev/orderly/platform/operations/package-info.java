/** Changes to a running system, and the tokens that requests to it need. */
package dev.orderly.platform.operations;
