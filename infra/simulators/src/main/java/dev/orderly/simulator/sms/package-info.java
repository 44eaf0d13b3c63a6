/** An SMS provider for machines without one: it takes messages as a real one would, and shows what the phones would show. */
package dev.orderly.simulator.sms;
