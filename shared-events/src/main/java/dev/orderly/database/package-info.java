/**
 * PostgreSQL as messaging and services use it: transactions with retry, migration before use, partitions by
 * day, set-based SQL.
 */
package dev.orderly.database;
