package dev.orderly.platform.observe;

import dev.orderly.platform.config.Checkout;
import dev.orderly.platform.config.CommandFailedException;
import dev.orderly.platform.config.PlatformSettings;
import dev.orderly.platform.process.Download;
import dev.orderly.platform.process.HealthProbe;
import dev.orderly.platform.process.ManagedProcess;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/** Zipkin, which keeps the newest traces in its memory, and what hands spans on to it. */
public final class TraceServer implements AutoCloseable {
    public static final String NAME = "zipkin";

    /** By which the user says where else spans are to go. */
    private static final String ENDPOINT = "ORDERLY_TRACES_ENDPOINT";

    /** 86 MB that a platform without it need not have: Maven fetches them when they are first asked for. */
    private static final String ARTIFACT = "io.zipkin:zipkin-server:3.6.1:jar:slim";

    private static final String JAR = "zipkin-server-3.6.1-slim.jar";
    private static final Duration GRACE = Duration.ofSeconds(2);

    private final PlatformSettings settings;
    private OtlpReceiver receiver;

    /** @throws CommandFailedException when its jar is not there and cannot be fetched */
    public TraceServer(PlatformSettings settings) throws InterruptedException {
        this.settings = settings;
        if (!Files.exists(jar())) {
            fetch();
        }
    }

    /** Not where the user has said where else spans are to go. */
    public static boolean isWanted() {
        return System.getenv(ENDPOINT) == null;
    }

    private static Path jar() {
        return Checkout.target("platform").resolve("observe").resolve(JAR);
    }

    private void fetch() throws InterruptedException {
        System.out.println("fetching the trace server (86 MB)");
        var log = settings.log(NAME);
        // Moved when it is whole, for Maven may be killed in the middle.
        var incoming = jar().resolveSibling("incoming");
        var command = List.of(
                settings.checkout().resolve("mvnw").toString(),
                "-q",
                "-B",
                "-N",
                "dependency:copy",
                "-Dartifact=" + ARTIFACT,
                "-DoutputDirectory=" + incoming);
        try {
            Files.deleteIfExists(incoming.resolve(JAR)); // or Maven would leave it as it is
            if (!Download.run(command, settings.checkout(), log)) {
                throw new CommandFailedException("--observe needs " + ARTIFACT + ", which Maven cannot fetch, see "
                        + log + "; or say by " + ENDPOINT + " where else traces are to go");
            }
            Files.move(incoming.resolve(JAR), jar(), StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            throw new CommandFailedException("cannot fetch the trace server: " + e, e);
        }
    }

    /** Where a browser finds it. */
    public static URI url(PlatformSettings.Ports ports) {
        return URI.create("http://" + PlatformSettings.HOST + ":" + ports.traces() + "/zipkin/");
    }

    /** A service that sends its spans here; or the console, which links to them. */
    static ManagedProcess traced(ManagedProcess part, PlatformSettings.Ports ports) {
        return !isWanted()
                ? part
                : part.withDefault(ENDPOINT, "http://" + PlatformSettings.HOST + ":" + ports.otlp())
                        .withDefault("TRACES_URL", url(ports).resolve("traces/").toString());
    }

    /** Begins to receive spans. */
    public ManagedProcess part() {
        var port = settings.ports().traces();
        receiver = new OtlpReceiver(
                settings.ports().otlp(), URI.create("http://" + PlatformSettings.HOST + ":" + port + "/api/v2/spans"));
        var command = List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx192m",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-jar",
                jar().toString(),
                // By default it listens on every interface.
                "--armeria.ports[0].ip=" + PlatformSettings.HOST,
                "--armeria.ports[0].port=" + port,
                "--armeria.ports[0].protocols[0]=http");
        return new ManagedProcess(
                NAME,
                port,
                command,
                Map.of("MEM_MAX_SPANS", "100000"),
                ManagedProcess.Stop.term(GRACE),
                HealthProbe.http(URI.create("http://" + PlatformSettings.HOST + ":" + port + "/health")),
                ManagedProcess.ALWAYS);
    }

    @Override
    public void close() {
        if (receiver != null) {
            receiver.close();
        }
    }
}
