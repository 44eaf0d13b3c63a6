/** The brokers, formatted and started as a quorum, and the topics of {@code infra/kafka/topics.json}. */
package dev.orderly.platform.kafka;
