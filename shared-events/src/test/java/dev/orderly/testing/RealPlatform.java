package dev.orderly.testing;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.quarkus.test.common.QuarkusTestResourceLifecycleManager;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * A PostgreSQL and a Kafka broker of their own for the tests of one module: the same that
 * {@code ./orderly demo} starts, as processes of their own, on free ports, in a temporary folder. Arguments:
 * {@code service} names the service whose database and settings the test gets, {@code mail=true} adds the
 * simulators, {@code gateway=true} too, and the service listens where the gateway calls it back, else on any
 * port.
 */
public class RealPlatform implements QuarkusTestResourceLifecycleManager {

    private static final Path CHECKOUT = Path.of(System.getProperty("orderly.checkout"));
    private static final Path PLATFORM = CHECKOUT.resolve("infra/platform/target");

    private String service;
    private boolean mail;
    private boolean gateway;
    private Path data;
    private Process process;

    @Override
    public void init(Map<String, String> args) {
        service = args.get("service");
        mail = Boolean.parseBoolean(args.get("mail"));
        gateway = Boolean.parseBoolean(args.get("gateway"));
    }

    @Override
    public Map<String, String> start() {
        try {
            data = Files.createTempDirectory("orderly-test-");
            process = new ProcessBuilder(
                            Path.of(System.getProperty("java.home"), "bin", "java")
                                    .toString(),
                            "-XX:+UseSerialGC",
                            "-Dorderly.checkout=" + CHECKOUT,
                            "-cp",
                            PLATFORM.resolve("classes") + ":" + PLATFORM.resolve("lib") + "/*",
                            "dev.orderly.platform.PlatformMain",
                            "platform",
                            "--brokers=1",
                            "--no-connect",
                            "--no-simulators=" + !(mail || gateway),
                            "--free-ports",
                            "--stop-on-eof",
                            "--data=" + data)
                    .directory(CHECKOUT.toFile())
                    .redirectErrorStream(true)
                    .start();
            awaitReady();
            var environment = new HashMap<String, String>();
            for (var line : Files.readAllLines(data.resolve("run").resolve(service + ".env"))) {
                var equals = line.indexOf('=');
                environment.put(line.substring(0, equals), line.substring(equals + 1));
            }
            var ports =
                    new ObjectMapper().readTree(data.resolve("run/status.json").toFile());
            environment.put(
                    "orderly.test.mail-api-port",
                    ports.path("ports").path("mailApi").asText());
            environment.put("quarkus.http.test-port", gateway ? environment.get("HTTP_PORT") : "0");
            return environment;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void awaitReady() throws IOException {
        var output = new StringBuilder();
        var lines = new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
        for (var line = lines.readLine(); line != null; line = lines.readLine()) {
            output.append(line).append('\n');
            if (line.startsWith("ready")) {
                return;
            }
        }
        throw new IllegalStateException("the platform did not start:\n" + output);
    }

    @Override
    public void stop() {
        try {
            if (process != null) {
                process.getOutputStream().close();
                if (!process.waitFor(20, TimeUnit.SECONDS)) {
                    process.destroyForcibly();
                }
            }
            if (data != null) {
                try (var files = Files.walk(data)) {
                    for (var file : files.sorted(Comparator.reverseOrder()).toList()) {
                        Files.delete(file);
                    }
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
