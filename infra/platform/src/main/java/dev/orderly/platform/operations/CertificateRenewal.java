package dev.orderly.platform.operations;

import dev.orderly.platform.config.Certificates;
import dev.orderly.platform.config.Checkout;
import dev.orderly.platform.config.CommandFailedException;
import dev.orderly.platform.config.PlatformSettings;
import dev.orderly.platform.kafka.KafkaUsers;
import dev.orderly.platform.process.StatusFile;
import java.io.IOException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Renews the certificates of a platform while it runs. */
public final class CertificateRenewal {
    private static final Logger LOG = LoggerFactory.getLogger(CertificateRenewal.class);
    private static final Duration POLL = Duration.ofMillis(200);

    private CertificateRenewal() {}

    /**
     * Returns when all servers serve their new ones: PostgreSQL, and each broker at all of its listeners.
     *
     * @throws CommandFailedException when one does not within the deadline; it can be tried again
     */
    public static void renew(Path data, Duration deadline) throws InterruptedException {
        var running = StatusFile.running(data);
        var certificates = Certificates.in(data);
        if (!certificates.exist()) {
            throw new CommandFailedException("what runs on " + data + " was started without --tls");
        }
        Path infra = Checkout.path().resolve("infra");
        certificates.issue(infra, KafkaUsers.read(infra).certificateHolders(running.brokers()));
        var end = Instant.now().plus(deadline);
        for (var server : servers(running).entrySet()) {
            while (!servesItsOwn(certificates, server.getKey(), server.getValue())) {
                if (Instant.now().isAfter(end)) {
                    throw new CommandFailedException("%s does not serve its new certificate at port %d"
                            .formatted(server.getValue(), server.getKey()));
                }
                TimeUnit.MILLISECONDS.sleep(POLL.toMillis());
            }
        }
    }

    /** By their ports. */
    private static Map<Integer, String> servers(StatusFile running) {
        var servers = new LinkedHashMap<Integer, String>();
        var ports = running.ports();
        servers.put(ports.postgres(), ServedCertificate.POSTGRES);
        for (int id = 1; id <= running.brokers(); id++) {
            for (int port : new int[] {ports.broker(id), ports.internal(id), ports.controller(id)}) {
                servers.put(port, "kafka-" + id);
            }
        }
        return servers;
    }

    private static boolean servesItsOwn(Certificates certificates, int port, String server) {
        try {
            var own = ServedCertificate.read(certificates.of(server));
            return own.equals(ServedCertificate.of(certificates, PlatformSettings.HOST, port, server));
        } catch (IOException | GeneralSecurityException e) {
            LOG.info("{} at port {}: {}", server, port, e.toString());
            return false; // it may be starting
        }
    }
}
