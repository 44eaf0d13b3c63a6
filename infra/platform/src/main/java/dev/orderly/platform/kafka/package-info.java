/** The brokers, started as a quorum, and the users, topics and quotas of {@code infra/kafka}. */
package dev.orderly.platform.kafka;
