/** Prometheus, and metrics of the parts that have none of their own; only with {@code --observe}. */
package dev.orderly.platform.observe;
