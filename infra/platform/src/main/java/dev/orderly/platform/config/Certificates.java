package dev.orderly.platform.config;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.net.URLEncoder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/**
 * What TLS is made of: a key with its certificate for each server and client, in one folder with the
 * certificate of the authority that has signed them. Where there is no such folder, nothing is encrypted:
 * {@code ./orderly up --tls} makes it, and a start without {@code --tls} deletes it.
 */
public final class Certificates {
    /** Of a container, which {@code docker-compose.tls.yml} has it made for. */
    private static final Path IN_CONTAINER = Path.of("/run/secrets/orderly/tls");

    private static final String SUFFIX = ".pem";
    private static final int DEADLINE_SECONDS = 60;

    private final Path folder;

    private Certificates(Path folder) {
        this.folder = folder;
    }

    /** Those of a state directory. */
    public static Certificates in(Path data) {
        return new Certificates(data.resolve("tls"));
    }

    static Certificates ofContainer() {
        return new Certificates(IN_CONTAINER);
    }

    public boolean exist() {
        return Files.isDirectory(folder);
    }

    /** Where the authority's certificate is. */
    public Path authority() {
        return of("ca");
    }

    /** Where the certificate of a server or client is, followed by its key. */
    public Path of(String holder) {
        return folder.resolve(holder + SUFFIX);
    }

    /** When each ends, by its holder, the authority being {@code ca}; empty where nothing is encrypted. */
    public Map<String, Instant> expiries() {
        var expiries = new TreeMap<String, Instant>();
        if (exist()) {
            try (var files = Files.newDirectoryStream(folder, "*" + SUFFIX)) {
                for (Path file : files) {
                    var name = file.getFileName().toString();
                    expiries.put(name.substring(0, name.length() - SUFFIX.length()), expiry(file));
                }
            } catch (IOException | GeneralSecurityException e) {
                throw new CommandFailedException("cannot read the certificates in " + folder + ": " + e, e);
            }
        }
        return expiries;
    }

    private static Instant expiry(Path file) throws IOException, GeneralSecurityException {
        try (var text = Files.newInputStream(file)) {
            var certificate =
                    (X509Certificate) CertificateFactory.getInstance("X.509").generateCertificate(text);
            return certificate.getNotAfter().toInstant();
        }
    }

    /**
     * Writes new ones: that of PostgreSQL, and these in their order. The authority is made once.
     *
     * @throws CommandFailedException with what openssl says
     */
    public void issue(Path infra, List<String> brokersAndClients) throws InterruptedException {
        var command = new ArrayList<>(
                List.of("bash", infra.resolve("tls/certificates.sh").toString(), folder.toString()));
        command.add(folder.resolve("postgres").toString());
        brokersAndClients.forEach(holder -> command.add(folder.resolve(holder).toString()));
        try {
            var process = new ProcessBuilder(command).redirectErrorStream(true).start();
            process.getOutputStream().close();
            if (!process.waitFor(DEADLINE_SECONDS, TimeUnit.SECONDS)) {
                process.destroyForcibly();
            }
            try (var output = process.inputReader()) {
                var said = String.join("; ", output.lines().toList());
                if (process.waitFor() != 0) {
                    throw new CommandFailedException("cannot make certificates in " + folder + ": " + said);
                }
            }
        } catch (IOException e) {
            throw new CommandFailedException("cannot make certificates in " + folder + ": " + e, e);
        }
    }

    /** From then on nothing is encrypted that starts here. */
    public void delete() {
        try {
            StateDirectory.delete(folder);
        } catch (IOException e) {
            throw new CommandFailedException("cannot delete " + folder + ": " + e, e);
        }
    }

    /**
     * The settings of a Kafka client beside its login. The brokers demand a certificate of this authority,
     * and do not compare its name with that of the user who then logs in.
     */
    public Map<String, String> kafka(String holder) {
        return exist()
                ? Map.of(
                        "security.protocol", "SASL_SSL",
                        "ssl.truststore.type", "PEM",
                        "ssl.truststore.location", authority().toString(),
                        "ssl.keystore.type", "PEM",
                        "ssl.keystore.location", of(holder).toString())
                : Map.of("security.protocol", "SASL_PLAINTEXT");
    }

    /** The properties of a connection to PostgreSQL, by the names that libpq and JDBC have for them. */
    public Map<String, String> postgres() {
        return exist()
                ? Map.of("sslmode", "verify-full", "sslrootcert", authority().toString())
                : Map.of();
    }

    /** The same as the query of a JDBC URL, in which some characters of a file name have another meaning. */
    public String postgresQuery() {
        return postgres().entrySet().stream()
                .map(property -> property.getKey() + "=" + URLEncoder.encode(property.getValue(), UTF_8))
                .collect(Collectors.joining("&"));
    }
}
