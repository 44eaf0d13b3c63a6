package dev.orderly.chaos;

import org.apache.kafka.common.TopicPartition;

/** How far a consumer group has read a partition. */
record ConsumerPosition(String group, TopicPartition partition, long offset) {}
