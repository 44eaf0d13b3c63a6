/**
 * Tells customers by mail what became of their orders (confirmed, rejected or cancelled), welcomes them, and sends them by SMS
 * the codes that verify their phones; and keeps, of each, what it needs to write to them, until they are erased. The {@linkplain
 * dev.orderly.notification.OrderEventHandler one half} records in the transaction of the event what is to be said, the {@linkplain
 * dev.orderly.notification.MessageDispatcher other} sends it afterwards, so that a slow mail server holds up nobody.
 */
package dev.orderly.notification;
