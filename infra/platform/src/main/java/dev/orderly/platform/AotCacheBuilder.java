package dev.orderly.platform;

import dev.orderly.platform.config.Checkout;
import dev.orderly.platform.config.CommandFailedException;
import dev.orderly.platform.config.JvmOptions;
import dev.orderly.platform.config.PlatformSettings;
import dev.orderly.platform.config.Secrets;
import dev.orderly.platform.config.StateDirectory;
import dev.orderly.platform.connect.ConnectWorker;
import dev.orderly.platform.kafka.KafkaBrokers;
import dev.orderly.platform.kafka.KafkaUsers;
import dev.orderly.platform.process.ProcessSupervisor;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Part of the build: starts each kind of process once in training, so that the JVM records what it loads,
 * links and compiles first ({@link JvmOptions#command}). Without these caches everything works, slower: a
 * failure is printed and fails no build.
 */
public final class AotCacheBuilder {
    private final PlatformSettings settings;
    private final Map<Path, Path> caches;

    /** Load that makes running services hot. */
    public interface WarmUp {
        void run(PlatformSettings settings, List<ServiceDefinition> services) throws InterruptedException;
    }

    private interface Recording {
        void run(StateDirectory folder) throws IOException, InterruptedException;
    }

    private AotCacheBuilder(Set<JvmOptions> kinds) {
        var data = Checkout.target("platform").resolve("aot/training");
        settings = PlatformPorts.onFreePorts(new PlatformSettings(
                Checkout.path(), data, 1, PlatformSettings.Ports.DEFAULT, kinds, PlatformSettings.JSON));
        caches = kinds.contains(JvmOptions.SERVICE) ? ofServices(settings) : ofPlatform();
    }

    /** Builds the caches of broker and Connect, in this module's own build. */
    public static void main(String[] arguments) throws IOException, InterruptedException {
        var builder = new AotCacheBuilder(EnumSet.of(JvmOptions.BROKER, JvmOptions.CONNECT));
        builder.buildIfStale(builder::recordPlatform);
    }

    /** Builds the caches of the services, which must be built, and of the simulators. */
    public static void buildServices(WarmUp warmUp) throws IOException, InterruptedException {
        var builder = new AotCacheBuilder(EnumSet.complementOf(EnumSet.of(JvmOptions.BROKER, JvmOptions.CONNECT)));
        builder.buildIfStale(folder -> builder.recordServices(folder, warmUp));
    }

    private void buildIfStale(Recording recording) throws IOException, InterruptedException {
        try {
            if (!upToDate(caches)) {
                build(recording);
            }
            StateDirectory.delete(settings.data());
        } catch (CommandFailedException | NoSuchFileException e) {
            System.out.println("starts will be slower than they could be: " + e.getMessage());
        }
    }

    /** The caches, each with the jar, or the folder of jars, that it is built from. */
    private static Map<Path, Path> ofPlatform() {
        Path lib = Checkout.target("kafka").resolve("lib");
        return Map.of(
                JvmOptions.aotCache("broker"), lib,
                JvmOptions.aotCache("connect"), lib);
    }

    private static Map<Path, Path> ofServices(PlatformSettings settings) {
        var caches = new HashMap<Path, Path>();
        for (var service :
                ServiceDefinition.all(settings.checkout(), settings.ports().http())) {
            caches.put(
                    service.aotCache(settings), service.jar(settings.checkout()).getParent());
        }
        if (Console.isBuilt(settings.checkout())) {
            caches.put(Console.aotCache(), Console.jar(settings.checkout()).getParent());
        }
        caches.put(
                JvmOptions.aotCache("simulators"), Checkout.target("simulators").resolve("simulators.jar"));
        return caches;
    }

    private void build(Recording recording) throws IOException, InterruptedException {
        for (Path cache : caches.keySet()) {
            Files.createDirectories(cache.getParent());
        }
        var folder = StateDirectory.open(settings.data(), true, settings.brokers());
        System.setProperty("orderly.log", settings.log("launcher").toString());
        recording.run(folder);
        for (Path cache : caches.keySet()) {
            keepIfFinished(cache);
        }
    }

    private static void keepIfFinished(Path cache) throws IOException {
        Path written = JvmOptions.unfinished(cache);
        // The JVM builds the cache from this recording, and deletes it when the cache is complete.
        Path recording = Path.of(written + ".config");
        if (Files.deleteIfExists(recording)) {
            Files.deleteIfExists(written);
            throw new CommandFailedException(
                    cache.getFileName() + " was not written within " + JvmOptions.CACHE_WRITING.toSeconds() + " s");
        }
        Files.move(written, cache, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
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
        var names = new ArrayList<>(KafkaUsers.read(settings.infra()).secrets());
        names.add(KafkaBrokers.SECRET);
        var secrets = Secrets.of(settings.data(), names);
        try (folder;
                var kafka = new KafkaBrokers(settings, secrets)) {
            kafka.init();
            var broker = supervisor.start(kafka.parts().getFirst());
            try {
                broker.awaitReady();
                kafka.createTopics();
                var worker = supervisor.start(new ConnectWorker(settings, secrets, List.of()).part());
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

    private static boolean upToDate(Map<Path, Path> caches) throws IOException {
        for (var cache : caches.entrySet()) {
            if (!Files.exists(cache.getKey())) {
                return false;
            }
            var written = Files.getLastModifiedTime(cache.getKey());
            try (var jars = Files.walk(cache.getValue())) {
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
