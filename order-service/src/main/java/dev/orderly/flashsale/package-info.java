/** Flash sales: many buyers for few units, queued on a topic in their order, and turned into orders. */
package dev.orderly.flashsale;
