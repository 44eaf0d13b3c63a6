package dev.orderly.platform;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** The kinds of Java process, and the flags that each starts with: those in {@code infra/jvm}, which containers have too. */
public enum Jvm {
    BROKER,
    CONNECT,
    MAIL,
    GATEWAY,
    SERVICE;

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

    /** The same for a class of Kafka's: its classpath, its logging, and its archive of loaded and linked classes. */
    List<String> kafka(Settings settings, String mainClass, Path properties) {
        var command = new ArrayList<>(command(settings.infra()));
        command.addAll(learnt(settings, archive(settings)));
        command.add("-Dlog4j2.configurationFile=" + settings.infra().resolve("kafka/log4j2.properties"));
        command.add("-cp");
        command.add(settings.built().resolve("lib") + "/*");
        command.add(mainClass);
        command.add(properties.toString());
        return command;
    }

    /**
     * The flags for the archive of what such a process loads, links and compiles first: the one that makes it while in
     * training, else the one that uses it, if it is there. A third of the processor time at start. If jars or JDK have
     * changed since, the JVM notices and does without.
     */
    List<String> learnt(Settings settings, Path archive) {
        if (settings.training().contains(this)) {
            return List.of("-XX:AOTCacheOutput=" + unfinished(archive), "-Xlog:aot*=off");
        }
        return using(archive);
    }

    /** The flags to use what others of a kind have learnt; none when there is no such archive. */
    public static List<String> using(Path archive) {
        return Files.exists(archive) ? List.of("-XX:AOTCache=" + archive, "-Xlog:aot*=off") : List.of();
    }

    /** Where {@link Training} puts what a kind of process of Kafka's has learnt. */
    Path archive(Settings settings) {
        return archive(settings.built(), lowerCase());
    }

    /** Good for this JDK only. */
    public static Path archive(Path target, String name) {
        return target.resolve("aot").resolve(name + "-" + Runtime.version() + ".aot");
    }

    /** Where an archive is while it is being written: the JVM trusts what it finds under the other name. */
    static Path unfinished(Path archive) {
        return Path.of(archive + ".unfinished");
    }
}
