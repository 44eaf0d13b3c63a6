/** Changes to a running system. */
package dev.orderly.platform.operations;
