/**
 * The read side (CQRS): the state and timeline of every order, projected from the topic alone; it shares no
 * table and no code with the {@linkplain dev.orderly.order command side}, and could be deployed apart from
 * it.
 */
package dev.orderly.order.view;
