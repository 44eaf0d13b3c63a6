/**
 * The clients of a chaos run: random operations at a rate, and the history of what each was answered. A
 * client without an answer repeats its request under the same key, as the documents ask.
 */
package dev.orderly.lab.chaos.workload;
