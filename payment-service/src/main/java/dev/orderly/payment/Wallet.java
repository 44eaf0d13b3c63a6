package dev.orderly.payment;

import java.util.Currency;
import java.util.UUID;

/** The money of a customer in one currency. */
record Wallet(UUID customerId, Currency currency) {}
