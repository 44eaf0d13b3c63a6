/**
 * The benchmark, {@code ./orderly bench}: what the whole system does on this machine, beside what the machine
 * can do at that moment. It drives the services as customers do, and reads the results from their databases.
 */
package dev.orderly.lab.bench;
