package dev.orderly.order.view.rebuild;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.orderly.order.view.rebuild.OrderViewRebuild.RebuildState;
import java.lang.management.ManagementFactory;
import java.sql.Connection;
import java.time.Clock;
import java.util.Map;
import javax.management.ObjectName;
import org.apache.kafka.common.KafkaException;
import org.junit.jupiter.api.Test;
import org.postgresql.ds.PGSimpleDataSource;

/** What a rebuild that fails leaves behind; {@link OrderViewRebuildTest} has those that succeed. */
class RebuildFailureTest {

    @Test
    void a_reader_that_finds_no_broker_leaves_no_consumer_behind() throws Exception {
        Map<String, Object> nobody = Map.of("bootstrap.servers", "localhost:1", "default.api.timeout.ms", 100);

        assertThatThrownBy(() -> new TopicReader(nobody, "order-service", "nobody"))
                .isInstanceOf(KafkaException.class);

        var consumer = new ObjectName("kafka.consumer:type=app-info,id=order-view-rebuild-consumer");
        assertThat(ManagementFactory.getPlatformMBeanServer().isRegistered(consumer))
                .isFalse();
    }

    @Test
    void after_an_error_the_next_rebuild_can_be_started() {
        var outOfMemory = new PGSimpleDataSource() {
            private static final long serialVersionUID = 1L;

            @Override
            public Connection getConnection() {
                throw new OutOfMemoryError("of a test");
            }
        };
        var rebuild = new OrderViewRebuild(null, outOfMemory, null, Clock.systemUTC(), Map.of(), "", "");

        rebuild.start();

        await().until(() -> rebuild.status().state() == RebuildState.FAILED);
        assertThat(rebuild.start()).isTrue();
    }
}
