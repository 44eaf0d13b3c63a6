package dev.orderly.order;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import dev.orderly.IntegrationTest;
import dev.orderly.testing.HostileRequests;
import io.quarkus.test.common.http.TestHTTPResource;
import io.quarkus.test.junit.QuarkusTest;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.net.Socket;
import java.net.URI;
import java.sql.SQLException;
import java.time.Duration;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.jboss.logging.Logger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;

/** Takes minutes, so it only runs when it is told for how many: {@code -Dorderly.hostile.minutes=5}. */
@QuarkusTest
@EnabledIfSystemProperty(named = "orderly.hostile.minutes", matches = "\\d+")
class HostileInputMemoryTest extends IntegrationTest {

    private static final Logger LOG = Logger.getLogger(HostileInputMemoryTest.class);

    private static final Duration DURATION = Duration.ofMinutes(Integer.getInteger("orderly.hostile.minutes", 0));
    /** Until then classes are loaded, pools and buffers reach their sizes. */
    private static final Duration WARM_UP = Duration.ofMinutes(1);

    private static final int SLOW_SENDERS_OF_A_KIND = 250;
    /** A sixteenth of a service's heap; what grows with each request grows beyond it in minutes. */
    private static final long MARGIN_BYTES = 16L << 20;

    @TestHTTPResource("/")
    URI service;

    @TestHTTPResource(value = "/openapi?format=json", management = true)
    URI openApi;

    @Test
    void memory_stays_flat_under_hostile_input() throws SQLException {
        var start = System.nanoTime();
        try (var senders = Executors.newVirtualThreadPerTaskExecutor()) {
            MalformedHttpTest.slowRequests().forEach(slow -> {
                for (var i = 0; i < SLOW_SENDERS_OF_A_KIND; i++) {
                    senders.execute(() -> sendSlowly((String) slow.get()[1]));
                }
            });
            try {
                sendHostileRequests(start + WARM_UP.toNanos());
                var warm = heapAfterCollection();
                sendHostileRequests(start + DURATION.toNanos());
                var end = heapAfterCollection();
                LOG.infof("heap %d KB after a minute, %d KB at the end", warm >> 10, end >> 10);
                assertThat(end).isLessThan(warm + MARGIN_BYTES);
            } finally {
                senders.shutdownNow();
            }
        }
    }

    private void sendHostileRequests(long deadline) throws SQLException {
        while (System.nanoTime() < deadline) {
            HostileRequests.assertAllAreHandled(service, openApi, sql(), "POST /order-view/rebuild");
        }
    }

    /** A byte a second, in a new connection when the service has given up the former one. */
    private void sendSlowly(String beginning) {
        while (!Thread.currentThread().isInterrupted()) {
            try (var socket = new Socket(service.getHost(), service.getPort())) {
                socket.getOutputStream().write(beginning.getBytes(ISO_8859_1));
                while (true) {
                    socket.getOutputStream().write(' ');
                    TimeUnit.SECONDS.sleep(1);
                }
            } catch (IOException _) {
                // again
            } catch (InterruptedException _) {
                return;
            }
        }
    }

    private static long heapAfterCollection() {
        System.gc();
        return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
    }
}
