/**
 * One way to start a platform, to use the shop, and to wait: for tests, scenarios, benchmark and chaos runs.
 */
package dev.orderly.testkit;
