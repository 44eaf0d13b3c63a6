/**
 * What there is to sell. {@link dev.orderly.inventory.ReservationHandler} sets it aside for orders, all lines of an order or none,
 * and sells it or puts it back when the order ends; the rules are {@link dev.orderly.inventory.Stock}'s and {@link
 * dev.orderly.inventory.Reservation}'s, the SQL is {@link dev.orderly.inventory.Stocks}' and {@link
 * dev.orderly.inventory.Reservations}'. {@link dev.orderly.inventory.StockResource} shows and restocks it.
 */
package dev.orderly.inventory;
