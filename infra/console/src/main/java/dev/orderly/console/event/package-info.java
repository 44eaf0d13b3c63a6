/** Events as they are on the topic, in any format. */
package dev.orderly.console.event;
