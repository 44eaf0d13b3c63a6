package dev.orderly.platform.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.postgresql.Driver;

class CertificatesTest {

    @Test
    void in_a_folder_of_any_name_the_driver_finds_them(@TempDir Path temporary) throws IOException {
        var data = temporary.resolve("50% of R+D & all the rest");
        Files.createDirectories(data.resolve("tls"));

        var url = "jdbc:postgresql://127.0.0.1/erp?" + Certificates.in(data).postgresQuery();

        assertThat(Driver.parseURL(url, null))
                .containsEntry("sslmode", "verify-full")
                .containsEntry("sslrootcert", data.resolve("tls/ca.pem").toString());
    }

    @Test
    void without_encryption_a_url_has_no_options(@TempDir Path data) {
        assertThat(Certificates.in(data).postgresQuery()).isEmpty();
    }
}
