package dev.orderly.platform.config;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.function.IntUnaryOperator;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * The settings of one platform.
 *
 * @param data the state directory
 * @param training the kinds of process that write an AOT cache as they end; usually none
 * @param eventFormat of what the services publish: json, avro or protobuf
 */
public record PlatformSettings(
        Path checkout, Path data, int brokers, Ports ports, Set<JvmOptions> training, String eventFormat) {
    public static final String JSON = "json";

    public static final List<String> EVENT_FORMATS = List.of(JSON, "avro", "protobuf");

    /** All processes listen here only. An address: the name "localhost" has two on most machines. */
    public static final String HOST = "127.0.0.1";

    /** Of tokens. A name, and the same in docker-compose.yml: where the provider listens may change. */
    public static final String ISSUER = "https://identity.orderly.example";

    private static final int CONTROLLERS_ABOVE_BROKERS = 100;
    private static final int INTERNAL_ABOVE_BROKERS = 200;
    private static final int MANAGEMENT_ABOVE_HTTP = 1_000;
    private static final int SINKS_ABOVE_CONNECT = 2;
    private static final int OBSERVABILITY_ABOVE_CONNECT = 100;
    private static final int CONSOLE_ABOVE_HTTP = 8;

    /**
     * The first port of each kind; those of brokers and services are consecutive.
     *
     * @param openKafka of the brokers' listeners without a login; 0 if there are none
     */
    public record Ports(
            int postgres,
            int kafka,
            int openKafka,
            int connect,
            int smtp,
            int mailApi,
            int sms,
            int gateway,
            int identity,
            int http) {
        public static final Ports DEFAULT = new Ports(15432, 19092, 0, 18083, 1025, 18025, 18095, 18090, 18099, 8080);

        public Ports plus(int offset) {
            return new Ports(
                    postgres + offset,
                    kafka + offset,
                    openKafka == 0 ? 0 : openKafka + offset,
                    connect + offset,
                    smtp + offset,
                    mailApi + offset,
                    sms + offset,
                    gateway + offset,
                    identity + offset,
                    http + offset);
        }

        public int broker(int id) {
            return kafka + id - 1;
        }

        public int controller(int id) {
            return broker(id) + CONTROLLERS_ABOVE_BROKERS;
        }

        /** Where a service whose API is on this port has health, metrics and OpenAPI. */
        public static int management(int httpPort) {
            return httpPort + MANAGEMENT_ABOVE_HTTP;
        }

        /** Of the page that shows the system. Behind those of the services, since it is for them. */
        public int console() {
            return http + CONSOLE_ABOVE_HTTP;
        }

        /** Of the listener by which brokers and launcher reach a broker. */
        public int internal(int id) {
            return broker(id) + INTERNAL_ABOVE_BROKERS;
        }

        public int open(int id) {
            return openKafka + id - 1;
        }

        /** Of the schema registry, if there is one. */
        public int registry() {
            return connect + 1;
        }

        /** Of the REST interface of the sinks' worker. */
        public int sinks() {
            return connect + SINKS_ABOVE_CONNECT;
        }

        public int prometheus() {
            return connect + OBSERVABILITY_ABOVE_CONNECT;
        }

        public int alertmanager() {
            return prometheus() + 1;
        }

        public int postgresExporter() {
            return prometheus() + 2;
        }

        /** Where the launcher has metrics of consumer groups. */
        public int groupMetrics() {
            return prometheus() + 3;
        }

        public int connectMetrics() {
            return prometheus() + 4;
        }

        public int brokerMetrics(int id) {
            return connectMetrics() + id;
        }

        /** Where the trace server shows traces. */
        public int traces() {
            return prometheus() + 10;
        }

        /** Where the launcher takes spans for it. */
        public int otlp() {
            return prometheus() + 11;
        }

        /** Where Alertmanager reports to the launcher. */
        public int alertReceiver() {
            return prometheus() + 8;
        }
    }

    /** How long a process of this kind may take to end; longer if it writes an AOT cache. */
    public Duration grace(JvmOptions kind, Duration grace) {
        return training.contains(kind) ? JvmOptions.CACHE_WRITING : grace;
    }

    public Path infra() {
        return checkout.resolve("infra");
    }

    public Path run(String file) {
        return data.resolve("run").resolve(file);
    }

    public Path log(String part) {
        return data.resolve("log").resolve(part + ".log");
    }

    /** Writes {@code run/<name>.properties}, for this user alone: those of the files, then these. */
    public Path writeProperties(String name, List<String> files, Map<String, String> own) {
        Path target = run(name + ".properties");
        var properties = new Properties();
        try {
            for (String file : files) {
                try (var reader = Files.newBufferedReader(infra().resolve(file))) {
                    properties.load(reader);
                }
            }
            properties.putAll(own);
            var text = new ByteArrayOutputStream();
            properties.store(text, null); // to a writer it would not escape what is not Latin, as readers expect
            Secrets.writePrivately(target, text.toString(StandardCharsets.ISO_8859_1));
            return target;
        } catch (IOException e) {
            throw new CommandFailedException("cannot write " + target + ": " + e, e);
        }
    }

    /** For clients that log in. */
    public String bootstrapServers() {
        return bootstrapServers(ports::broker);
    }

    public String bootstrapServers(IntUnaryOperator port) {
        return IntStream.rangeClosed(1, brokers)
                .mapToObj(id -> HOST + ":" + port.applyAsInt(id))
                .collect(Collectors.joining(","));
    }
}
