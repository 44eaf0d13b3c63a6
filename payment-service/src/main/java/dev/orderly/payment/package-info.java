/**
 * Customers' money: who has how much, what was paid for which order, and every movement in between.
 *
 * <p>When the stock of an order is reserved, the {@link dev.orderly.payment.PaymentHandler cashier} captures its total from the
 * customer's balance, or declines; when an order is cancelled, it gives back what was captured. What happens to one
 * {@link dev.orderly.payment.Payment payment} is decided there; what happens to the money is a transfer of the
 * {@link dev.orderly.payment.Ledger ledger}, which is only ever added to.
 *
 * <p>Cards are charged by an external gateway, which is {@linkplain dev.orderly.payment.GatewayDispatcher asked} when the decision
 * is durable, and tells by a signed {@linkplain dev.orderly.payment.GatewayCallbackResource callback} what came of it.
 */
package dev.orderly.payment;
