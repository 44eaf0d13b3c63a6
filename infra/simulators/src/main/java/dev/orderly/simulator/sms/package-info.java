/** An SMS provider for machines without one: accepts messages, and shows what phones would show. */
package dev.orderly.simulator.sms;
