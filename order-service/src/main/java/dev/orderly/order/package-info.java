/**
 * The command side: takes orders, lets customers cancel them, and decides, from what the other services report, what
 * becomes of them; with the catalogue that it prices them by, and the flash sales. Only this package says what an order
 * <em>is</em>. How orders are, it does not tell: that is the {@linkplain dev.orderly.order.view read side}'s business.
 */
package dev.orderly.order;
