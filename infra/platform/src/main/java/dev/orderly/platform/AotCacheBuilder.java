package dev.orderly.platform;

import dev.orderly.platform.config.Checkout;
import dev.orderly.platform.config.CommandFailedException;
import dev.orderly.platform.config.JvmOptions;
import dev.orderly.platform.config.PlatformSettings;
import dev.orderly.platform.config.StateDirectory;
import dev.orderly.platform.connect.ConnectWorker;
import dev.orderly.platform.kafka.KafkaBrokers;
import dev.orderly.platform.process.ProcessSupervisor;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Part of the build: starts things once so that the JVM can write down what they load, link and compile first
 * ({@link JvmOptions#command}). Every later start takes a third of the processor time. Without archives everything works, slower: a
 * failure here is printed and fails no build.
 */
public final class AotCacheBuilder {
    private final PlatformSettings settings;
    private final Map<Path, Path> archives;

    /** Has running services do what they will do most. */
    public interface WarmUp {
        /** Returns when they have done enough of it. */
        void run(PlatformSettings settings, List<ServiceDefinition> services) throws InterruptedException;
    }

    private interface Recording {
        void run(StateDirectory folder) throws IOException, InterruptedException;
    }

    private AotCacheBuilder(Set<JvmOptions> kinds) {
        var data = Checkout.target("platform").resolve("aot/training");
        settings = PlatformPorts.onFreePorts(
                new PlatformSettings(Checkout.path(), data, 1, PlatformSettings.Ports.USUAL, kinds));
        archives = kinds.contains(JvmOptions.SERVICE) ? ofServices(settings) : ofPlatform();
    }

    /** Makes the archives of broker and Connect, as a part of this module's own build. */
    public static void main(String[] arguments) throws IOException, InterruptedException {
        var builder = new AotCacheBuilder(EnumSet.of(JvmOptions.BROKER, JvmOptions.CONNECT));
        builder.buildIfStale(builder::recordPlatform);
    }

    /** Makes the archives of the services, which must be built, and of all else that serves them. */
    public static void buildServices(WarmUp warmUp) throws IOException, InterruptedException {
        var builder = new AotCacheBuilder(EnumSet.complementOf(EnumSet.of(JvmOptions.BROKER, JvmOptions.CONNECT)));
        builder.buildIfStale(folder -> builder.recordServices(folder, warmUp));
    }

    private void buildIfStale(Recording recording) throws IOException, InterruptedException {
        try {
            if (!upToDate(archives)) {
                build(recording);
            }
            StateDirectory.delete(settings.data());
        } catch (CommandFailedException | NoSuchFileException e) {
            System.out.println("starts will be slower than they could be: " + e.getMessage());
        }
    }

    /** The archives, each with the jars, or the folder of jars, that it is made of. */
    private static Map<Path, Path> ofPlatform() {
        Path lib = Checkout.target("kafka").resolve("lib");
        return Map.of(
                JvmOptions.archive("broker"), lib,
                JvmOptions.archive("connect"), lib);
    }

    private static Map<Path, Path> ofServices(PlatformSettings settings) {
        var archives = new HashMap<Path, Path>();
        for (var service :
                ServiceDefinition.all(settings.checkout(), settings.ports().http())) {
            archives.put(
                    service.archive(settings), service.jar(settings.checkout()).getParent());
        }
        archives.put(
                JvmOptions.archive("simulators"), Checkout.target("simulators").resolve("simulators.jar"));
        return archives;
    }

    private void build(Recording recording) throws IOException, InterruptedException {
        for (Path archive : archives.keySet()) {
            Files.createDirectories(archive.getParent());
        }
        var folder = StateDirectory.open(settings.data(), true, settings.brokers());
        System.setProperty("orderly.log", settings.log("launcher").toString());
        recording.run(folder);
        for (Path archive : archives.keySet()) {
            keepIfFinished(archive);
        }
    }

    private static void keepIfFinished(Path archive) throws IOException {
        Path written = JvmOptions.unfinished(archive);
        // The JVM notes what it has seen here, makes the archive of it, and deletes the notes when that is whole.
        Path notes = Path.of(written + ".config");
        if (Files.deleteIfExists(notes)) {
            Files.deleteIfExists(written);
            throw new CommandFailedException(
                    archive.getFileName() + " was not written within " + JvmOptions.ARCHIVE_WRITING.toSeconds() + " s");
        }
        Files.move(written, archive, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }

    private void recordServices(StateDirectory folder, WarmUp warmUp) throws IOException, InterruptedException {
        var nowhere = new PrintStream(OutputStream.nullOutputStream());
        try (var platform = new Platform(settings, Platform.Scope.ALL, folder, new ConsoleProgress(nowhere))) {
            platform.start();
            warmUp.run(settings, platform.services());
        }
    }

    /** Without PostgreSQL and services, which may not be built yet. */
    private void recordPlatform(StateDirectory folder) throws IOException, InterruptedException {
        var supervisor = new ProcessSupervisor(settings, _ -> {});
        try (folder;
                var kafka = new KafkaBrokers(settings)) {
            kafka.init();
            var broker = supervisor.start(kafka.parts().getFirst());
            try {
                broker.awaitReady();
                kafka.createTopics();
                var worker = supervisor.start(new ConnectWorker(settings).part());
                try {
                    worker.awaitReady();
                } finally {
                    supervisor.stop(List.of(worker));
                }
            } finally {
                supervisor.stop(List.of(broker));
            }
        }
    }

    private static boolean upToDate(Map<Path, Path> archives) throws IOException {
        for (var archive : archives.entrySet()) {
            if (!Files.exists(archive.getKey())) {
                return false;
            }
            var written = Files.getLastModifiedTime(archive.getKey());
            try (var jars = Files.walk(archive.getValue())) {
                for (Path jar : jars.filter(Files::isRegularFile).toList()) {
                    if (Files.getLastModifiedTime(jar).compareTo(written) > 0) {
                        return false;
                    }
                }
            }
        }
        return true;
    }
}
