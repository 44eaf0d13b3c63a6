/** The catalogue: which products can be ordered, and at what price. */
package dev.orderly.catalog;
