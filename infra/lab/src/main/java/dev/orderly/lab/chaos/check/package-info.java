/**
 * What must hold after a chaos run. A {@code SystemSnapshot} of tables, topics, logs and HTTP is read once,
 * at rest; each {@code *Checks} class compares it with what the clients were answered, by subject.
 */
package dev.orderly.lab.chaos.check;
