/**
 * The read side (CQRS): what has happened to every order, made from the topic alone. It shares no table and no code with
 * the {@linkplain dev.orderly.order command side} and could be deployed apart from it.
 */
package dev.orderly.order.view;
