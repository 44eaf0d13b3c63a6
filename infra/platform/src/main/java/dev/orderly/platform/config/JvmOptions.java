package dev.orderly.platform.config;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** The kinds of Java process, and the flags that each starts with: those in {@code infra/jvm}, which containers have too. */
public enum JvmOptions {
    BROKER,
    CONNECT,
    SIMULATORS,
    SERVICE;

    /** An archive is written as its process ends. */
    public static final Duration ARCHIVE_WRITING = Duration.ofSeconds(120);

    /** The java command of the JDK that runs the launcher, without class or jar. */
    public List<String> command(Path infra) {
        var command = new ArrayList<String>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        for (String flags : List.of("common", "jdk25", lowerCase())) {
            command.add("@" + infra.resolve("jvm/" + flags + ".options"));
        }
        return command;
    }

    private String lowerCase() {
        return name().toLowerCase(Locale.ROOT);
    }

    /**
     * The same with an archive of what such a process loads, links and compiles first: one makes it while in training, the others
     * use it, if it is there. A third of the processor time at start. If jars or JDK have changed since, the JVM notices and does
     * without.
     */
    public List<String> command(PlatformSettings settings, Path archive) {
        var command = new ArrayList<>(command(settings.infra()));
        command.addAll(
                settings.training().contains(this)
                        ? List.of("-XX:AOTCacheOutput=" + unfinished(archive), "-Xlog:aot*=off")
                        : using(archive));
        return command;
    }

    /** The same for a class of Kafka's: its classpath, and its logging. */
    public List<String> kafka(PlatformSettings settings, String mainClass, Path properties) {
        return kafka(command(settings, archive(lowerCase())), settings, mainClass, properties.toString());
    }

    /** The same for a tool of Kafka's, that ends by itself and of which no archive is made. */
    public List<String> kafkaTool(PlatformSettings settings, String mainClass, String... arguments) {
        var command = new ArrayList<>(command(settings.infra()));
        command.addAll(using(archive(lowerCase())));
        return kafka(command, settings, mainClass, arguments);
    }

    private static List<String> kafka(
            List<String> command, PlatformSettings settings, String mainClass, String... arguments) {
        command.add("-Dlog4j2.configurationFile=" + settings.infra().resolve("kafka/log4j2.properties"));
        command.addAll(List.of("-cp", Checkout.target("kafka").resolve("lib") + "/*", mainClass));
        command.addAll(List.of(arguments));
        return command;
    }

    /** The flags to use what others of a kind have learnt; none when there is no such archive. */
    public static List<String> using(Path archive) {
        return Files.exists(archive) ? List.of("-XX:AOTCache=" + archive, "-Xlog:aot*=off") : List.of();
    }

    /** The archive of a process of the platform. */
    public static Path archive(String name) {
        return archive(Checkout.target("platform"), name);
    }

    /** Where the archive of a process is: good for this JDK only. */
    public static Path archive(Path target, String name) {
        return target.resolve("aot").resolve(name + "-" + Runtime.version() + ".aot");
    }

    /** Where an archive is while it is being written: the JVM trusts what it finds under the other name. */
    public static Path unfinished(Path archive) {
        return Path.of(archive + ".unfinished");
    }
}
