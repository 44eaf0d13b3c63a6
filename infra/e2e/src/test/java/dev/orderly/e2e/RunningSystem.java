package dev.orderly.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.orderly.platform.observe.Observability;
import dev.orderly.testkit.OrderlyCommand;
import dev.orderly.testkit.RunningPlatform;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * The whole system, once for all test classes: what {@code ./orderly up} starts, in a temporary folder, on
 * free ports. Its launcher stops it when the JVM of the tests ends, also when that is killed.
 */
final class RunningSystem implements BeforeAllCallback {

    /** Else the auditor would wait a minute for what a lost replication slot has swallowed. */
    private static final Map<String, String> SETTINGS =
            Map.of("ORDERLY_OUTBOX_AUDIT_GRACE", "5S", "ORDERLY_TRACES_SAMPLING", "0");

    /** That {@code --observe} has its own trace server, which is 86 MB to fetch. */
    static final String ZIPKIN = "orderly.zipkin";

    private static RunningPlatform platform;
    private static TraceCollector traces;

    @Override
    public void beforeAll(ExtensionContext context) {
        context.getRoot()
                .getStore(ExtensionContext.Namespace.GLOBAL)
                .computeIfAbsent(RunningSystem.class, _ -> start(), AutoCloseable.class);
    }

    private static AutoCloseable start() {
        try {
            var command = new ArrayList<>(List.of("up", "--free-ports", "--open-kafka", "--erp-crm"));
            if (Observability.missing().isEmpty()) {
                command.add("--observe");
            }
            var settings = new HashMap<>(SETTINGS);
            traces = new TraceCollector();
            if (!Boolean.getBoolean(ZIPKIN)) {
                settings.put("ORDERLY_TRACES_ENDPOINT", traces.endpoint());
            }
            platform = RunningPlatform.temporary(settings, command.toArray(String[]::new));
            platform.start();
            return RunningSystem::stop;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    private static void stop() throws IOException, InterruptedException {
        int exitCode = platform.stop();
        platform.close();
        traces.close();
        assertThat(exitCode).as("exit code of the launcher").isZero();
    }

    /** Of orders that are placed with a sampled trace; of others there are no spans. */
    static TraceCollector traces() {
        return traces;
    }

    static RunningPlatform platform() {
        return platform;
    }

    /** @param money in cents */
    static Shop shop(int stock, int money) throws InterruptedException {
        return new Shop(platform::url, platform.tokens(), stock, money);
    }

    /** What a command of {@code ./orderly} prints; it must succeed. */
    static String orderly(String... arguments) throws IOException, InterruptedException {
        var command = new ArrayList<>(List.of(arguments));
        command.add("--data=" + platform.data());
        var result = OrderlyCommand.run(command.toArray(String[]::new));
        assertThat(result.exitCode()).as(result.output()).isZero();
        return result.output();
    }
}
