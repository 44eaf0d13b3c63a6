/**
 * The stock that can be sold. {@link dev.orderly.inventory.ReservationHandler} reserves it for orders, all
 * lines of an order or none, and sells or releases it when the order ends. The rules are {@link
 * dev.orderly.inventory.Stock}'s and {@link dev.orderly.inventory.Reservation}'s, the SQL is {@link
 * dev.orderly.inventory.Stocks}', {@link dev.orderly.inventory.Reservations}' and {@link
 * dev.orderly.inventory.Restocks}'. {@link
 * dev.orderly.inventory.StockResource} shows and restocks it.
 */
package dev.orderly.inventory;
