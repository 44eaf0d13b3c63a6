package dev.orderly.messaging;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStoreException;
import java.security.cert.Certificate;
import java.util.Map;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RenewableCertificateTest {

    private static final Path CERTIFICATES =
            Path.of(System.getProperty("orderly.checkout"), "infra/tls/certificates.sh");

    @TempDir
    Path folder;

    private final RenewableCertificate factory = new RenewableCertificate();

    @BeforeEach
    void configure() throws Exception {
        assumeTrue(
                exitCode("bash", "-c", "command -v openssl") == 0,
                "skipped: openssl is not installed, which makes the certificates");
        issue();
        factory.configure(new AdminClientConfig(Map.of(
                        "bootstrap.servers", "localhost:1",
                        "ssl.truststore.type", "PEM",
                        "ssl.truststore.location", folder.resolve("ca.pem").toString(),
                        "ssl.keystore.type", "PEM",
                        "ssl.keystore.location", file().toString()))
                .values());
    }

    @Test
    void a_connection_shows_the_certificate_that_the_file_has_when_it_is_opened() throws Exception {
        var before = shown();
        connect();
        assertThat(shown()).isEqualTo(before);

        issue();
        connect();

        assertThat(shown()).isNotEqualTo(before);
    }

    @Test
    void while_the_file_is_away_or_cannot_be_read_the_former_one_is_shown() throws Exception {
        var before = shown();

        Files.delete(file());
        connect();
        Files.writeString(file(), "-----BEGIN CERTIFICATE-----\nunfinished");
        connect();

        assertThat(shown()).isEqualTo(before);
    }

    private void connect() {
        assertThat(factory.createClientSslEngine("localhost", 1, "https").getUseClientMode())
                .isTrue();
    }

    private Certificate shown() throws KeyStoreException {
        var keys = factory.keystore();
        return keys.getCertificate(keys.aliases().nextElement());
    }

    private Path file() {
        return folder.resolve("order-service.pem");
    }

    private void issue() throws IOException, InterruptedException {
        int code = exitCode("bash", CERTIFICATES.toString(), folder.toString(), folder + "/order-service");
        assertThat(code).isZero();
    }

    private static int exitCode(String... command) throws IOException, InterruptedException {
        return new ProcessBuilder(command).inheritIO().start().waitFor();
    }
}
