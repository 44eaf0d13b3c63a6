/** One HTTP policy for every service: limits on requests, strict JSON, and problem documents of one form. */
package dev.orderly.http;
