/**
 * What is there on a demo alone: its processes, and ways to break them; rows of the services' databases;
 * load. In an installation these paths do not exist.
 */
package dev.orderly.console.demo;
