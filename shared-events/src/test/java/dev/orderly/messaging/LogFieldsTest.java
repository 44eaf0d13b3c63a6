package dev.orderly.messaging;

import static dev.orderly.testing.OrderTopic.header;
import static org.assertj.core.api.Assertions.assertThat;

import dev.orderly.events.EventHeaders;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.jboss.logmanager.ExtLogRecord;
import org.junit.jupiter.api.Test;

/** What can be searched in the log: the fields of lines about an event. */
@QuarkusTest
@TestProfile(IntegrationTest.Service.class)
class LogFieldsTest extends IntegrationTest {

    private static final String TRACE = "0af7651916cd43dd8448eb211c80319c";

    /** Keeps the fields of each line about parking. */
    private static final class Fields extends Handler {
        private final List<Map<String, String>> lines = new CopyOnWriteArrayList<>();

        @Override
        public void publish(LogRecord line) {
            if (line.getMessage().contains("parking")) {
                lines.add(ExtLogRecord.wrap(line).getMdcCopy());
            }
        }

        @Override
        public void flush() {}

        @Override
        public void close() {}
    }

    @Test
    void a_line_about_an_event_names_its_order_the_event_and_the_trace() {
        var good = UUID.randomUUID();
        var bad = UUID.randomUUID();
        handler.rejected.add(bad);
        var poison = header(placed(bad), EventHeaders.TRACEPARENT, "00-" + TRACE + "-b7ad6b7169203331-00");
        var logger = Logger.getLogger(EventConsumer.class.getName());
        var fields = new Fields();
        logger.addHandler(fields);
        try {
            publish(List.of(placed(good), poison, placed(UUID.randomUUID())));
        } finally {
            logger.removeHandler(fields);
            handler.rejected.remove(bad);
        }

        var eventId = new String(poison.headers().lastHeader(EventHeaders.ID).value());
        assertThat(fields.lines)
                .singleElement()
                .satisfies(line -> assertThat(line)
                        .containsEntry("orderId", bad.toString())
                        .containsEntry("eventId", eventId)
                        .containsEntry("traceId", TRACE));
    }
}
