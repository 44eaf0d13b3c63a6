/**
 * The command side: takes orders, lets customers cancel them, and decides, from what the other services report, what
 * becomes of them. Only this package says what an order <em>is</em>. It answers no questions; that is the {@linkplain
 * dev.orderly.order.view read side}'s business.
 */
package dev.orderly.order;
