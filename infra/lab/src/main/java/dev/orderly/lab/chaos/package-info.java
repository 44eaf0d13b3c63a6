/**
 * The fault lab: drives the whole platform from outside with a mixed load, breaks its parts by a schedule that a seed
 * determines, lets it heal, and then checks every promise against what is in the databases, on the topic and in the
 * client's own record of what it was told. Nothing in here is simulated, and nothing in the services knows of it.
 */
package dev.orderly.lab.chaos;
