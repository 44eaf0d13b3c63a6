/**
 * A mail server for machines without one: accepts mail for any recipient by SMTP, and shows by HTTP what it
 * has received.
 */
package dev.orderly.simulator.mail;
