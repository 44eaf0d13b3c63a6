package dev.orderly.testing;

import dev.orderly.testkit.PlatformClient;
import dev.orderly.testkit.RunningPlatform;
import io.quarkus.test.common.QuarkusTestResourceLifecycleManager;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Map;

/**
 * A PostgreSQL and a Kafka broker of their own for the tests of one module: the same that
 * {@code ./orderly demo} starts, on free ports, in a temporary folder. Arguments: {@code service} names the
 * service whose database and settings the test gets, {@code mail=true} adds the simulators,
 * {@code gateway=true} too, and the service listens where the gateway calls it back, else on any port.
 */
public class RealPlatform implements QuarkusTestResourceLifecycleManager {

    /** Before the settings of Kafka clients that may do everything, as no service may. */
    static final String KAFKA = "orderly.test.kafka.";

    /** The key of the verification codes is being replaced. */
    private static final String FORMER_KEY = "the former key of the verification codes";

    private Map<String, String> arguments;
    private RunningPlatform platform;

    @Override
    public void init(Map<String, String> arguments) {
        this.arguments = arguments;
    }

    @Override
    public Map<String, String> start() {
        var gateway = has("gateway");
        try {
            platform = RunningPlatform.temporary(
                    Map.of(),
                    "platform",
                    "--free-ports",
                    "--brokers=1",
                    "--no-connect",
                    "--no-simulators=" + !(gateway || has("mail")));
            platform.start();
            var environment = platform.environment(arguments.get("service"));
            environment.put(
                    "orderly.test.mail-api-port",
                    String.valueOf(platform.mailApi("/").getPort()));
            environment.put("orderly.test.superuser-password", platform.secret("postgres"));
            var database = PlatformClient.DATABASES.get(PlatformClient.SERVICES.indexOf(arguments.get("service")));
            environment.put("orderly.test.relay-password", platform.secret(database + "_relay"));
            environment.putAll(Tokens.startProvider());
            environment.computeIfPresent("VERIFICATION_KEY", (_, key) -> key + "," + FORMER_KEY);
            platform.kafka(Map.of()).forEach((name, value) -> environment.put(KAFKA + name, value.toString()));
            environment.put("quarkus.http.test-port", gateway ? environment.get("HTTP_PORT") : "0");
            return environment;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    private boolean has(String part) {
        return Boolean.parseBoolean(arguments.get(part));
    }

    @Override
    public void stop() {
        Tokens.stopProvider();
        if (platform != null) {
            platform.close();
        }
    }
}
