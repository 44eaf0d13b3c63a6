package dev.orderly.lab.chaos.fault;

import org.apache.kafka.common.TopicPartition;

/** How far a consumer group has read a partition. */
public record ConsumerPosition(String group, TopicPartition partition, long offset) {}
