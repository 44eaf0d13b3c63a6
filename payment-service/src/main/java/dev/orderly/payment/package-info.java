/**
 * Customers' money: balances, the payment of each order, and every transfer in between.
 *
 * <p>When the stock of an order is reserved, {@link dev.orderly.payment.PaymentHandler} captures the total
 * from the customer's balance or declines; when an order is cancelled, it refunds what was captured. {@link
 * dev.orderly.payment.Payment} has the rules; money moves by a transfer in the append-only {@link
 * dev.orderly.payment.Ledger}.
 *
 * <p>Customers leave a card before they order by it ({@link dev.orderly.payment.CardResource}), so that its
 * token is here alone. Cards are charged by an external gateway: {@link
 * dev.orderly.payment.GatewayDispatcher} calls it after the decision is committed, and {@link
 * dev.orderly.payment.GatewayResultHandler} applies the result, which arrives in the response or in a signed
 * {@linkplain dev.orderly.payment.GatewayCallbackResource callback}.
 */
package dev.orderly.payment;
