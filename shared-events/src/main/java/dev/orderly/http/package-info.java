/** One HTTP policy for every service: tokens, roles, limits, strict JSON, problem documents of one form. */
package dev.orderly.http;
