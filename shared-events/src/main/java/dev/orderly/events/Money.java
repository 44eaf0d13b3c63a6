package dev.orderly.events;

import static java.util.Objects.requireNonNull;

import java.util.Currency;

/**
 * A sum of money, never negative.
 *
 * @param amount in the minor unit of the currency (cents for EUR), so that no rounding ever happens
 * @param currency an ISO 4217 currency
 */
public record Money(long amount, Currency currency) {

    /**
     * @throws IllegalArgumentException when the amount is negative, or the currency is none of money (XXX)
     */
    public Money {
        requireNonNull(currency, "currency");
        if (amount < 0) {
            throw new IllegalArgumentException("amount must not be negative: " + amount);
        }
        if (currency.getDefaultFractionDigits() < 0) {
            throw new IllegalArgumentException("not a currency that money can be in: " + currency);
        }
    }

    /** @throws IllegalArgumentException when the code is not one of ISO 4217 */
    public static Money of(long amount, String currency) {
        return new Money(amount, Currency.getInstance(currency));
    }

    /**
     * @throws IllegalArgumentException when the currencies differ
     * @throws ArithmeticException when the sum does not fit
     */
    public Money plus(Money other) {
        if (!currency.equals(other.currency)) {
            throw new IllegalArgumentException("cannot add " + other.currency + " to " + currency);
        }
        return new Money(Math.addExact(amount, other.amount), currency);
    }

    /** @throws ArithmeticException when the product does not fit */
    public Money times(int factor) {
        return new Money(Math.multiplyExact(amount, factor), currency);
    }
}
