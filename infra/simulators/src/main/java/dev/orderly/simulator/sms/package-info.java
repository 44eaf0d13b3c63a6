/** An SMS provider for machines without one: accepts messages as a real one would, and shows what phones would show. */
package dev.orderly.simulator.sms;
