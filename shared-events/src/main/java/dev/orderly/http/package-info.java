/** One HTTP policy for every service: limits on requests, strict JSON, and RFC 9457 problem documents of one shape. */
package dev.orderly.http;
