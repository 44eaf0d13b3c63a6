/**
 * What the system is for, shown and measured on a platform of its own: each scenario checks what it
 * promises, and ends with 1 when that does not hold.
 */
package dev.orderly.lab.scenario;
