package dev.orderly.platform;

import dev.orderly.platform.config.CommandFailedException;
import dev.orderly.platform.config.PlatformSettings;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** The ports that a platform listens on, and free ones instead. */
final class PlatformPorts {
    /** Below 32768, from where on systems take the ports of outgoing connections. */
    private static final int MIN_OFFSET = 1_000;

    private static final int MAX_OFFSET = 13_000;
    private static final int MAX_PORT = 65_535;
    private static final int MAX_ATTEMPTS = 100;

    private PlatformPorts() {}

    /** The same settings on ports that are free now. */
    static PlatformSettings onFreePorts(PlatformSettings settings) {
        var random = new Random();
        for (int i = 0; i < MAX_ATTEMPTS; i++) {
            var ports = settings.ports().plus(random.nextInt(MIN_OFFSET, MAX_OFFSET));
            var moved = new PlatformSettings(
                    settings.checkout(),
                    settings.data(),
                    settings.brokers(),
                    ports,
                    settings.training(),
                    settings.eventFormat());
            var services = ServiceDefinition.all(settings.checkout(), ports.http());
            if (taken(inUse(moved, services, Platform.Scope.ALL.observed(true).synchronizing(true)))
                    .isEmpty()) {
                return moved;
            }
        }
        throw new CommandFailedException("no free ports found in " + MAX_ATTEMPTS + " attempts");
    }

    /**
     * Every port this platform will listen on, with its listener and the option that moves it.
     *
     * @throws IllegalArgumentException when there is no such port, or two listeners would have the same
     */
    static Map<Integer, String> inUse(
            PlatformSettings settings, List<ServiceDefinition> services, Platform.Scope scope) {
        var first = settings.ports();
        var ports = new LinkedHashMap<Integer, String>();
        add(ports, first.postgres(), "postgres (--postgres-port)");
        for (int id = 1; id <= settings.brokers(); id++) {
            add(ports, first.broker(id), "kafka-" + id + " (--kafka-port)");
            add(ports, first.controller(id), "kafka-" + id + "'s controller (--kafka-port)");
            add(ports, first.internal(id), "kafka-" + id + " for the other brokers (--kafka-port)");
            if (first.openKafka() != 0) {
                add(ports, first.open(id), "kafka-" + id + " without a login (--open-kafka)");
            }
        }
        if (scope.connect()) {
            add(ports, first.connect(), "connect (--connect-port)");
        }
        if (SchemaRegistry.isWanted(settings)) {
            add(ports, first.registry(), "the schema registry (--connect-port)");
        }
        if (scope.erpCrm()) {
            add(ports, first.sinks(), "the sinks' worker (--connect-port)");
        }
        if (scope.simulators()) {
            add(ports, first.smtp(), "the mail simulator (--smtp-port)");
            add(ports, first.mailApi(), "the mail simulator's API (--port-offset)");
            add(ports, first.sms(), "the SMS simulator (--port-offset)");
            add(ports, first.gateway(), "the gateway simulator (--port-offset)");
            add(ports, first.identity(), "the identity simulator (--port-offset)");
        }
        if (scope.observe()) {
            add(ports, first.prometheus(), "prometheus (--connect-port)");
            add(ports, first.alertmanager(), "alertmanager (--connect-port)");
            add(ports, first.postgresExporter(), "postgres-exporter (--connect-port)");
            add(ports, first.groupMetrics(), "the launcher's metrics (--connect-port)");
            add(ports, first.connectMetrics(), "connect's metrics (--connect-port)");
            add(ports, first.traces(), "the trace server (--connect-port)");
            add(ports, first.otlp(), "the launcher's receiver of spans (--connect-port)");
            add(ports, first.alertReceiver(), "the launcher's receiver of alerts (--connect-port)");
            for (int id = 1; id <= settings.brokers(); id++) {
                add(ports, first.brokerMetrics(id), "kafka-" + id + "'s metrics (--connect-port)");
            }
        }
        if (scope.console()) {
            add(ports, first.console(), "the console (--http-port)");
        }
        services.forEach(service -> {
            add(ports, service.httpPort(), service.name() + " (--http-port)");
            add(ports, service.managementPort(), service.name() + "'s management (--http-port)");
        });
        return ports;
    }

    private static void add(Map<Integer, String> ports, int port, String listener) {
        if (port < 1 || port > MAX_PORT) {
            throw new IllegalArgumentException("no such port: " + port + ", of " + listener);
        }
        var other = ports.putIfAbsent(port, listener);
        if (other != null) {
            throw new IllegalArgumentException("port " + port + " would be of " + other + " and of " + listener);
        }
    }

    /** A message for each of these ports that is taken. */
    static List<String> taken(Map<Integer, String> ports) {
        var taken = new ArrayList<String>();
        ports.forEach((port, part) -> {
            if (!free(port)) {
                taken.add("port " + port + " of " + part + " is taken");
            }
        });
        return taken;
    }

    static boolean free(int port) {
        try (var socket = new ServerSocket()) {
            socket.setReuseAddress(true); // as the listeners do: a connection in TIME_WAIT does not hold the port
            socket.bind(new InetSocketAddress(InetAddress.getByName(PlatformSettings.HOST), port));
            return true;
        } catch (IOException _) {
            return false; // a result, not a failure
        }
    }
}
