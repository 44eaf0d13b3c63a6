package dev.orderly.platform;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Where one platform lives: the checkout it was built in, the folder of its state, its brokers and its ports.
 *
 * @param training the kinds of process whose start is there to be learnt from ({@link Training}); usually none
 */
record Settings(Path checkout, Path data, int brokers, Ports ports, Set<Jvm> training) {
    /** Every part listens here and nowhere else. An address, not a name: "localhost" is two addresses on most machines. */
    static final String HOST = "127.0.0.1";

    private static final int CONTROLLERS_ABOVE_BROKERS = 100;

    /** How far free ports are looked for: up to 32768, where systems take the ports of outgoing connections from. */
    private static final int LEAST_MOVE = 1_000;

    private static final int LARGEST_MOVE = 13_000;
    private static final int MOVES = 100;

    /** The first port of each kind; brokers and services count up from theirs. */
    record Ports(int postgres, int kafka, int connect, int smtp, int mailApi, int sms, int gateway, int http) {
        static final Ports USUAL = new Ports(15432, 19092, 18083, 1025, 18025, 18095, 18090, 8080);

        Ports plus(int offset) {
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

        int broker(int id) {
            return kafka + id - 1;
        }

        int controller(int id) {
            return broker(id) + CONTROLLERS_ABOVE_BROKERS;
        }
    }

    /** How long a part of this kind may take to end: who is there to be learnt from writes down what it has learnt. */
    Duration grace(Jvm kind, Duration usual) {
        return training.contains(kind) ? Training.WRITING : usual;
    }

    Path infra() {
        return checkout.resolve("infra");
    }

    /** What the build made of {@code infra/platform}: the classpath of brokers and Connect, the relay, the mail sink. */
    Path built() {
        return infra().resolve("platform/target");
    }

    Path run(String file) {
        return data.resolve("run").resolve(file);
    }

    Path log(String part) {
        return data.resolve("log").resolve(part + ".log");
    }

    String bootstrapServers() {
        return IntStream.rangeClosed(1, brokers)
                .mapToObj(id -> HOST + ":" + ports.broker(id))
                .collect(Collectors.joining(","));
    }

    /** The same on ports that are free now. */
    Settings onFreePorts() {
        var random = new Random();
        for (int i = 0; i < MOVES; i++) {
            var moved = new Settings(
                    checkout, data, brokers, ports.plus(random.nextInt(LEAST_MOVE, LARGEST_MOVE)), training);
            var services = Service.all(checkout, moved.ports().http());
            if (taken(moved.portsInUse(services, Platform.Scope.ALL)).isEmpty()) {
                return moved;
            }
        }
        throw new StartFailure("no free ports found in " + MOVES + " tries");
    }

    /** Every port this platform will listen on, with the part and the option that moves it. */
    Map<Integer, String> portsInUse(List<Service> services, Platform.Scope scope) {
        var ports = new LinkedHashMap<Integer, String>();
        ports.put(ports().postgres(), "postgres (--postgres-port)");
        for (int id = 1; id <= brokers; id++) {
            ports.put(ports().broker(id), "kafka-" + id + " (--kafka-port)");
            ports.put(ports().controller(id), "kafka-" + id + "'s controller (--kafka-port)");
        }
        if (scope.connect()) {
            ports.put(ports().connect(), "connect (--connect-port)");
        }
        if (scope.mail()) {
            ports.put(ports().smtp(), "mail (--smtp-port)");
            ports.put(ports().mailApi(), "mail's API (--port-offset)");
            ports.put(ports().sms(), "sms (--port-offset)");
        }
        if (scope.gateway()) {
            ports.put(ports().gateway(), "gateway (--port-offset)");
        }
        services.forEach(service -> ports.put(service.httpPort(), service.name() + " (--http-port)"));
        return ports;
    }

    /** The lines that say which of these ports are taken; empty when all are free. */
    static List<String> taken(Map<Integer, String> ports) {
        var taken = new ArrayList<String>();
        ports.forEach((port, part) -> {
            if (!free(port)) {
                taken.add("port " + port + " of " + part + " is taken");
            }
        });
        return taken;
    }

    private static boolean free(int port) {
        try (var socket = new ServerSocket()) {
            socket.setReuseAddress(true); // as the parts do: a connection in TIME_WAIT does not hold the port
            socket.bind(new InetSocketAddress(InetAddress.getByName(HOST), port));
            return true;
        } catch (IOException _) {
            return false; // the answer, not a failure
        }
    }
}
