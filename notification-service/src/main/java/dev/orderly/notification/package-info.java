/**
 * Notifies customers: by mail of the end of their orders and to welcome them, by SMS of the codes that verify
 * their phones. Keeps their contacts until they are erased. {@linkplain
 * dev.orderly.notification.OrderEventHandler Handlers} record messages in the transaction of the event; the
 * {@linkplain dev.orderly.notification.MessageDispatcher dispatcher} sends them after the commit, so that a
 * slow mail server cannot block a partition.
 */
package dev.orderly.notification;
