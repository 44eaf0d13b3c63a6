/** Products and their prices; stored with Panache, because people edit one product at a time. */
package dev.orderly.catalog;
