/** What the system does now: events, groups with their lag, and how the parts are. */
package dev.orderly.console.live;
