/** How every service reads its settings. */
package dev.orderly.config;
