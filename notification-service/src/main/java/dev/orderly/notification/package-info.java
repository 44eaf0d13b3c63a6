/**
 * Tells customers by mail what became of their orders: confirmed, rejected or cancelled. The {@linkplain
 * dev.orderly.notification.Notifier one half} records in the transaction of the event what is to be said, the {@linkplain
 * dev.orderly.notification.Sender other} sends it afterwards, so that a slow mail server holds up nobody.
 */
package dev.orderly.notification;
