/**
 * Customers: registration, verification of the phone and erasure, one at a time and so with Panache; personal
 * data leaves by the topic {@code customer-service} alone, and an order knows no more of a customer than an
 * id.
 */
package dev.orderly.customer;
