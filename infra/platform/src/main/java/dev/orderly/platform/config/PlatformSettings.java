package dev.orderly.platform.config;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Where one platform lives: the checkout it was built in, the folder of its state, its brokers and its ports.
 *
 * @param training the kinds of process whose start is there to be learnt from ; usually none
 */
public record PlatformSettings(Path checkout, Path data, int brokers, Ports ports, Set<JvmOptions> training) {
    /** Every part listens here and nowhere else. An address, not a name: "localhost" is two addresses on most machines. */
    public static final String HOST = "127.0.0.1";

    private static final int CONTROLLERS_ABOVE_BROKERS = 100;

    /** The first port of each kind; brokers and services count up from theirs. */
    public record Ports(int postgres, int kafka, int connect, int smtp, int mailApi, int sms, int gateway, int http) {
        public static final Ports USUAL = new Ports(15432, 19092, 18083, 1025, 18025, 18095, 18090, 8080);

        public Ports plus(int offset) {
            return new Ports(
                    postgres + offset,
                    kafka + offset,
                    connect + offset,
                    smtp + offset,
                    mailApi + offset,
                    sms + offset,
                    gateway + offset,
                    http + offset);
        }

        public int broker(int id) {
            return kafka + id - 1;
        }

        public int controller(int id) {
            return broker(id) + CONTROLLERS_ABOVE_BROKERS;
        }
    }

    /** How long a part of this kind may take to end: who is there to be learnt from writes down what it has learnt. */
    public Duration grace(JvmOptions kind, Duration usual) {
        return training.contains(kind) ? JvmOptions.ARCHIVE_WRITING : usual;
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

    public String bootstrapServers() {
        return IntStream.rangeClosed(1, brokers)
                .mapToObj(id -> HOST + ":" + ports.broker(id))
                .collect(Collectors.joining(","));
    }
}
