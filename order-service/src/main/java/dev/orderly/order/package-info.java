/**
 * The command side: places, cancels and decides orders, and alone says what an order <em>is</em>; how it is
 * shown is up to the {@linkplain dev.orderly.order.view read side}.
 */
package dev.orderly.order;
