package dev.orderly.payment;

import java.util.Currency;
import java.util.UUID;

/** A customer's stored value in one currency: a customer may have several. What is in it is a balance. */
record Wallet(UUID customerId, Currency currency) {}
