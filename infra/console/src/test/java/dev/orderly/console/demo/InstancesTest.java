package dev.orderly.console.demo;

import static org.assertj.core.api.Assertions.assertThat;

import dev.orderly.testkit.Await;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class InstancesTest {
    /** Instead of starting the service it says what it would start it with, and waits for the end. */
    private static final String GUARD = "env > \"$1.env\"; echo written; cat > \"$1\"";

    private static final Duration START = Duration.ofSeconds(30);

    @TempDir
    Path folder;

    @Test
    void an_added_instance_has_a_name_of_its_own_and_the_settings_of_the_first() throws Exception {
        write("state/run/payment-service.env", "HTTP_PORT=8082\nORDERLY_ORDER_DEADLINE=10S\n");
        write("infra/platform/guard.sh", GUARD);
        Files.createDirectories(folder.resolve("state/log"));
        var instances = instances();

        var added = instances.add("payment-service");

        // The autoscaler of the launcher calls its own payment-service-2 and so on.
        assertThat(added.id()).isEqualTo("payment-service-console-1");
        var log = folder.resolve("state/log/payment-service-console-1.log");
        Await.until(START, "the guard", () -> Files.readString(log).contains("written"));
        assertThat(Files.readString(folder.resolve("state/run/payment-service-console-1.pid.env")))
                .contains("ORDERLY_ORDER_DEADLINE=10S\n", "HTTP_PORT=" + added.port() + "\n");
        instances.remove(added.id());
        assertThat(instances.list()).isEmpty();
    }

    private Instances instances() {
        return new Instances(DemoPlatforms.of(folder.resolve("state"), folder));
    }

    private void write(String file, String text) throws IOException {
        Files.createDirectories(folder.resolve(file).getParent());
        Files.writeString(folder.resolve(file), text);
    }
}
