package dev.orderly.relay;

import io.debezium.connector.postgresql.PostgresConnector;
import org.apache.kafka.connect.connector.Task;

/** Debezium's connector, with {@link OutboxTask} for a task. Settings and stored offsets are the same. */
public final class OutboxConnector extends PostgresConnector {
    @Override
    public Class<? extends Task> taskClass() {
        return OutboxTask.class;
    }
}
