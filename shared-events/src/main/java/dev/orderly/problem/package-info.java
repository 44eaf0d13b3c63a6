/** How every service says no: RFC 9457 problem documents of one shape. */
package dev.orderly.problem;
