/** Blue/green rebuild of the read model: fills a shadow from the topic and swaps it with the live one. */
package dev.orderly.order.view.rebuild;
