package dev.orderly.console.demo;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.orderly.console.config.ConsoleConfig;
import io.smallrye.config.SmallRyeConfigBuilder;
import java.nio.file.Path;
import java.util.Map;

/** Demo platforms for tests: nothing runs but what their state directory says. */
final class DemoPlatforms {

    private DemoPlatforms() {}

    static DemoPlatform of(Path state, Path checkout) {
        var config = new SmallRyeConfigBuilder()
                .withMapping(ConsoleConfig.class)
                .withDefaultValues(Map.of(
                        "console.state", state.toString(),
                        "console.checkout", checkout.toString(),
                        "console.services.orders", "http://127.0.0.1:8080",
                        "console.token-endpoint", "http://127.0.0.1:18099/token",
                        "console.database.host", "127.0.0.1",
                        "console.database.port", "15432"))
                .build()
                .getConfigMapping(ConsoleConfig.class);
        return new DemoPlatform(config, new ObjectMapper());
    }
}
