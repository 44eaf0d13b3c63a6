/** Blue/green rebuild of the read model: makes a second one from the topic and swaps it in while the first is served. */
package dev.orderly.order.view.rebuild;
