package dev.orderly.sink;

import io.debezium.connector.jdbc.JdbcSinkConnector;
import org.apache.kafka.connect.connector.Task;

/** Debezium's connector, with {@link EventSinkTask} for a task. Settings are the same. */
public final class EventSinkConnector extends JdbcSinkConnector {
    @Override
    public Class<? extends Task> taskClass() {
        return EventSinkTask.class;
    }
}
