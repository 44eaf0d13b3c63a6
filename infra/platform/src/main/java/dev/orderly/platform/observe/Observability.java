package dev.orderly.platform.observe;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.orderly.platform.config.Checkout;
import dev.orderly.platform.config.CommandFailedException;
import dev.orderly.platform.config.PlatformSettings;
import dev.orderly.platform.config.Secrets;
import dev.orderly.platform.config.StateDirectory;
import dev.orderly.platform.process.HealthProbe;
import dev.orderly.platform.process.ManagedProcess;
import java.io.File;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.stream.Stream;

/**
 * Prometheus, Alertmanager and the exporter of PostgreSQL, which the user has installed, with the settings of
 * {@code infra/observability}; the JMX exporter inside of brokers and Connect; and the trace server.
 */
public final class Observability implements AutoCloseable {
    private static final Duration GRACE = Duration.ofSeconds(2);
    private static final String BROKER = "kafka-";
    private static final String CONNECT = "connect";
    private static final JsonMapper JSON = new JsonMapper();

    private final PlatformSettings settings;
    private final Path folder;
    /** None where the user has said where else spans are to go. */
    private final Optional<TraceServer> traces;

    /** Of this start alone: who needs it is started with it. */
    private final String alertToken = UUID.randomUUID().toString();

    /** Each under the name that Debian gives it, and the one of its authors. */
    private enum Program {
        PROMETHEUS("prometheus", "prometheus"),
        ALERTMANAGER("prometheus-alertmanager", "alertmanager"),
        POSTGRES_EXPORTER("prometheus-postgres-exporter", "postgres_exporter");

        private final String debian;
        private final List<String> names;

        Program(String debian, String original) {
            this.debian = debian;
            this.names = List.of(debian, original);
        }

        private Optional<Path> find() {
            return Stream.of(System.getenv().getOrDefault("PATH", "").split(File.pathSeparator))
                    .flatMap(directory -> names.stream().map(name -> Path.of(directory, name)))
                    .filter(Files::isExecutable)
                    .findFirst();
        }
    }

    /**
     * What Prometheus reads metrics from.
     *
     * @param part as {@code ./orderly status} names it
     * @param job what it is one of, such as kafka
     * @param service that it is an instance of; empty if it is of none
     */
    public record Target(String part, String job, String service, int port, String path) {
        private static final String SERVICE = "service";

        public static Target of(String part, String job, int port) {
            return new Target(part, job, "", port, "/metrics");
        }

        /** @param part of the instance, by which those of a service differ */
        public static Target ofService(String part, String service, int managementPort) {
            return new Target(part, SERVICE, service, managementPort, "/q/metrics");
        }

        private Map<String, Object> toJson() {
            var labels = new LinkedHashMap<>(Map.of("part", part, "job", job, "__metrics_path__", path));
            if (job.equals(SERVICE)) {
                labels.put("service", service);
            }
            return Map.of("targets", List.of(PlatformSettings.HOST + ":" + port), "labels", labels);
        }
    }

    /** @throws CommandFailedException that says how to install what is missing */
    public Observability(PlatformSettings settings) throws InterruptedException {
        this.settings = settings;
        this.folder = settings.data().resolve("observability");
        var missing = missing();
        if (!missing.isEmpty()) {
            throw new CommandFailedException("--observe needs programs that are not installed; on Debian and Ubuntu:"
                    + " apt-get install --no-install-recommends " + String.join(" ", missing));
        }
        this.traces = TraceServer.isWanted() ? Optional.of(new TraceServer(settings)) : Optional.empty();
    }

    /** The Debian packages of what is not installed. */
    public static List<String> missing() {
        return Stream.of(Program.values())
                .filter(program -> program.find().isEmpty())
                .map(program -> program.debian)
                .toList();
    }

    /** A part as it is started to be observed: brokers and Connect from inside, others by their spans. */
    public static ManagedProcess observed(ManagedProcess part, PlatformSettings settings) {
        var ports = settings.ports();
        if (part.name().equals(CONNECT)) {
            return withJmxExporter(part, ports.connectMetrics(), settings.infra());
        }
        return part.name().startsWith(BROKER)
                ? withJmxExporter(
                        part,
                        ports.brokerMetrics(Integer.parseInt(part.name().substring(BROKER.length()))),
                        settings.infra())
                : TraceServer.traced(part, ports);
    }

    /** The same process with the JMX exporter in it, which serves metrics on a port. */
    private static ManagedProcess withJmxExporter(ManagedProcess part, int port, Path infra) {
        var command = new ArrayList<>(part.command());
        command.add(
                1,
                "-javaagent:%s=%s:%d:%s"
                        .formatted(
                                Checkout.target("platform").resolve("observe/jmx_prometheus_javaagent.jar"),
                                PlatformSettings.HOST,
                                port,
                                infra.resolve("observability/jmx.yml")));
        return part.withCommand(command);
    }

    /** @param targets beside those that are started here */
    public List<ManagedProcess> parts(List<Target> targets, Secrets secrets) {
        var ports = settings.ports();
        writeSettings();
        read(targets);
        var parts = new ArrayList<>(List.of(
                part(
                        "prometheus",
                        Program.PROMETHEUS,
                        ports.prometheus(),
                        "/-/ready",
                        Map.of(),
                        "--config.file=" + folder.resolve("prometheus.yml"),
                        "--storage.tsdb.path=" + folder.resolve("prometheus-data"),
                        "--storage.tsdb.retention.time=7d",
                        "--storage.tsdb.retention.size=512MB"),
                part(
                        "alertmanager",
                        Program.ALERTMANAGER,
                        ports.alertmanager(),
                        "/-/ready",
                        Map.of(),
                        "--config.file=" + folder.resolve("alertmanager.yml"),
                        "--storage.path=" + folder.resolve("alertmanager-data"),
                        "--cluster.listen-address="),
                part(
                        "postgres-exporter",
                        Program.POSTGRES_EXPORTER,
                        ports.postgresExporter(),
                        "/",
                        monitorOf(ports.postgres(), secrets),
                        withoutOldCollectors())));
        traces.ifPresent(server -> parts.add(server.part()));
        return parts;
    }

    /** In the environment, which no other user can read; encryption by the variables of libpq. */
    private static Map<String, String> monitorOf(int postgres, Secrets secrets) {
        var encryption = secrets.certificates().postgres();
        return Map.of(
                "DATA_SOURCE_URI", PlatformSettings.HOST + ":" + postgres + "/postgres",
                "DATA_SOURCE_USER", Secrets.MONITOR,
                "DATA_SOURCE_PASS", secrets.of(Secrets.MONITOR),
                "PGSSLMODE", encryption.getOrDefault("sslmode", "disable"),
                "PGSSLROOTCERT", encryption.getOrDefault("sslrootcert", ""));
    }

    /** The exporter of Debian 12 knows no PostgreSQL 18, and would log an error at each scrape. */
    private static String[] withoutOldCollectors() {
        var exporter = Program.POSTGRES_EXPORTER.find().orElseThrow().toString();
        try {
            var help = new ProcessBuilder(exporter, "--help")
                    .redirectErrorStream(true)
                    .start();
            boolean old = new String(help.getInputStream().readAllBytes()).contains("collector.bgwriter");
            return old ? new String[] {"--no-collector.bgwriter"} : new String[0];
        } catch (IOException e) {
            throw new CommandFailedException("cannot run " + exporter + ": " + e.getMessage(), e);
        }
    }

    private ManagedProcess part(
            String name, Program program, int port, String ready, Map<String, String> environment, String... options) {
        var command = new ArrayList<>(List.of(program.find().orElseThrow().toString()));
        command.addAll(List.of(options));
        command.add("--web.listen-address=" + PlatformSettings.HOST + ":" + port);
        return new ManagedProcess(
                name,
                port,
                command,
                environment,
                ManagedProcess.Stop.term(GRACE),
                HealthProbe.http(URI.create("http://" + PlatformSettings.HOST + ":" + port + ready)),
                ManagedProcess.ALWAYS);
    }

    /** The bearer token by which Alertmanager reports to the launcher. */
    public String alertToken() {
        return alertToken;
    }

    /** Has Prometheus read metrics from these, beside those that are started here; also while it runs. */
    public void read(List<Target> targets) {
        var ports = settings.ports();
        var alertmanager = Target.of("alertmanager", "alertmanager", ports.alertmanager());
        var all = new ArrayList<>(targets);
        all.add(Target.of("prometheus", "prometheus", ports.prometheus()));
        all.add(alertmanager);
        all.add(Target.of("postgres", "postgres", ports.postgresExporter()));
        write("parts", all);
        write("alertmanager", List.of(alertmanager));
    }

    /** As a whole, since Prometheus reads it at once. */
    private void write(String file, List<Target> targets) {
        try {
            var json =
                    JSON.writeValueAsString(targets.stream().map(Target::toJson).toList());
            Secrets.writePrivately(folder.resolve("targets").resolve(file + ".json"), json);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e); // of strings and numbers
        }
    }

    /** Copied, since Prometheus finds its rules, and where everything listens, beside its settings. */
    private void writeSettings() {
        try {
            for (String copied : List.of("rules", "targets")) {
                StateDirectory.delete(folder.resolve(copied));
                Files.createDirectories(folder.resolve(copied));
            }
            var source = settings.infra().resolve("observability");
            for (String file : List.of("prometheus.yml", "mail.tmpl")) {
                Files.writeString(folder.resolve(file), Files.readString(source.resolve(file)));
            }
            var alertmanager = Files.readString(source.resolve("alertmanager.yml"))
                    .replace("${smtp.port}", String.valueOf(settings.ports().smtp()))
                    .replace("${alerts.port}", String.valueOf(settings.ports().alertReceiver()));
            Files.writeString(folder.resolve("alertmanager.yml"), alertmanager);
            Secrets.writePrivately(folder.resolve("alerts.token"), alertToken);
            try (var rules = Files.newDirectoryStream(source.resolve("rules"), "*.yml")) {
                for (Path file : rules) {
                    Files.copy(file, folder.resolve("rules").resolve(file.getFileName()));
                }
            }
        } catch (IOException e) {
            throw new CommandFailedException("cannot write " + folder + ": " + e, e);
        }
    }

    /** Receives no more spans. */
    @Override
    public void close() {
        traces.ifPresent(TraceServer::close);
    }
}
