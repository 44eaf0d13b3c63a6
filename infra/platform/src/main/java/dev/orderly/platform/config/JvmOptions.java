package dev.orderly.platform.config;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** The kinds of Java process, and the flags in {@code infra/jvm} that each starts with, as in containers. */
public enum JvmOptions {
    BROKER,
    CONNECT,
    SIMULATORS,
    CONSOLE,
    REGISTRY,
    SERVICE;

    private static final int FEW_CORES = 2;

    /** A cache is written as its process ends. */
    public static final Duration CACHE_WRITING = Duration.ofSeconds(120);

    /** The java command of the JDK that runs the launcher, without class or jar. */
    public List<String> command(Path infra) {
        var command = new ArrayList<String>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        for (String flags : List.of("common", "jdk25", lowerCase())) {
            command.add("@" + infra.resolve("jvm/" + flags + ".options"));
        }
        if (this == SERVICE && compilers() == 1) {
            command.add("-XX:TieredStopAtLevel=1");
        }
        return command;
    }

    /**
     * How many of the JVM's two compilers a service uses. The second makes it a third faster, but on two
     * cores that all processes share it takes minutes to get there, and what it computes until then is
     * missing elsewhere (docs/results/performance.md).
     */
    private static int compilers() {
        var chosen = System.getenv("ORDERLY_SERVICE_COMPILERS");
        if (chosen == null) {
            return Runtime.getRuntime().availableProcessors() > FEW_CORES ? 2 : 1;
        }
        if (!List.of("1", "2").contains(chosen)) {
            throw new CommandFailedException("ORDERLY_SERVICE_COMPILERS is 1 or 2, not " + chosen);
        }
        return Integer.parseInt(chosen);
    }

    private String lowerCase() {
        return name().toLowerCase(Locale.ROOT);
    }

    /**
     * The same with an AOT cache of what such a process loads, links and compiles first: it is written in
     * training, and used otherwise, if it exists. A start takes a third of the processor time. If jars or JDK
     * have changed since, the JVM ignores it.
     */
    public List<String> command(PlatformSettings settings, Path cache) {
        var command = new ArrayList<>(command(settings.infra()));
        command.addAll(
                settings.training().contains(this)
                        ? List.of("-XX:AOTCacheOutput=" + unfinished(cache), "-Xlog:aot*=off")
                        : using(cache));
        return command;
    }

    /** The same for a class of Kafka's: its classpath, and its logging. */
    public List<String> kafka(PlatformSettings settings, String mainClass, Path properties) {
        return kafka(command(settings, aotCache(lowerCase())), settings, mainClass, properties.toString());
    }

    /** The same for a tool of Kafka's, which ends by itself and writes no cache. */
    public List<String> kafkaTool(PlatformSettings settings, String mainClass, String... arguments) {
        var command = new ArrayList<>(command(settings.infra()));
        command.addAll(using(aotCache(lowerCase())));
        return kafka(command, settings, mainClass, arguments);
    }

    private static List<String> kafka(
            List<String> command, PlatformSettings settings, String mainClass, String... arguments) {
        command.add("-Dlog4j2.configurationFile=" + settings.infra().resolve("kafka/log4j2.properties"));
        command.addAll(List.of("-cp", Checkout.target("kafka").resolve("lib") + "/*", mainClass));
        command.addAll(List.of(arguments));
        return command;
    }

    /** The flags to use a cache; none if it does not exist. */
    public static List<String> using(Path cache) {
        return Files.exists(cache) ? List.of("-XX:AOTCache=" + cache, "-Xlog:aot*=off") : List.of();
    }

    /** The AOT cache of a process of the platform. */
    public static Path aotCache(String name) {
        return aotCache(Checkout.target("platform"), name);
    }

    /** The AOT cache of a process; valid for this JDK only. */
    public static Path aotCache(Path target, String name) {
        return target.resolve("aot").resolve(name + "-" + Runtime.version() + ".aot");
    }

    /** A cache while it is being written: the JVM trusts what it finds under the other name. */
    public static Path unfinished(Path cache) {
        return Path.of(cache + ".unfinished");
    }
}
