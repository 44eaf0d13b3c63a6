/** Flash sales: few units for many buyers, queued on a topic in the order they came and turned into orders from there. */
package dev.orderly.flashsale;
