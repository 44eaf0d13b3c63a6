package dev.orderly.messaging;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.Map;
import javax.net.ssl.SSLEngine;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.config.SslConfigs;
import org.apache.kafka.common.security.ssl.DefaultSslEngineFactory;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The certificate that Kafka clients show to the brokers, as its file has it when a connection is opened.
 * Kafka's own class, and Quarkus's, read it once for each client: a service would have to be started again
 * before its certificate expires. Made by Kafka: {@code ssl.engine.factory.class}.
 */
public final class RenewableCertificate extends DefaultSslEngineFactory {
    private static final Logger LOG = LoggerFactory.getLogger(RenewableCertificate.class);

    private Map<String, ?> settings;
    private FileTime read;

    @Override
    public synchronized void configure(Map<String, ?> configs) {
        var written = written(configs);
        super.configure(configs);
        settings = configs;
        read = written;
    }

    @Override
    public synchronized SSLEngine createClientSslEngine(String peerHost, int peerPort, String endpointIdentification) {
        try {
            if (!read.equals(written(settings))) {
                configure(settings);
            }
        } catch (KafkaException e) {
            LOG.warn("the former certificate is shown, as another cannot be read yet: {}", e.getMessage());
        }
        return super.createClientSslEngine(peerHost, peerPort, endpointIdentification);
    }

    private static FileTime written(Map<String, ?> configs) {
        if (!(configs.get(SslConfigs.SSL_KEYSTORE_LOCATION_CONFIG) instanceof String file)) {
            return FileTime.fromMillis(0); // a client without a certificate
        }
        try {
            return Files.getLastModifiedTime(Path.of(file));
        } catch (IOException e) {
            throw new KafkaException("cannot read " + file, e);
        }
    }
}
