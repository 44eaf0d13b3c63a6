/** The PostgreSQL server, and a database with its roles for each service. */
package dev.orderly.platform.postgres;
