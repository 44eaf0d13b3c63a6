package dev.orderly.lab.bench;

import dev.orderly.testkit.RunningPlatform;
import dev.orderly.testkit.SecondInstance;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Resources of each part, by the operating system: CPU time since its start, and memory now. */
final class ProcessUsage {
    /** This process: it generates the load, and is part of the cost. */
    static final String GENERATOR = "generator";

    private ProcessUsage() {}

    /** CPU time by part, brokers together; a server's with its children, such as PostgreSQL's backends. */
    static Map<String, Duration> cpu(RunningPlatform system, List<SecondInstance> others) {
        var cpu = new TreeMap<String, Duration>();
        processes(system, others)
                .forEach((process, part) -> cpu.merge(
                        part,
                        family(process)
                                .map(member -> member.info().totalCpuDuration().orElse(Duration.ZERO))
                                .reduce(Duration.ZERO, Duration::plus),
                        Duration::plus));
        cpu.put(GENERATOR, ProcessHandle.current().info().totalCpuDuration().orElse(Duration.ZERO));
        return cpu;
    }

    /**
     * CPU time of the JVMs' compiler threads by part, as Linux accounts for threads; empty on other systems.
     * A compiler thread that the JVM has ended since is not counted.
     */
    static Map<String, Duration> compilers(RunningPlatform system) throws IOException {
        var cpu = new TreeMap<String, Duration>();
        for (var process : processes(system, List.of()).entrySet()) {
            var threads = Path.of("/proc", String.valueOf(process.getKey().pid()), "task");
            if (Files.isDirectory(threads)) {
                try (var each = Files.newDirectoryStream(threads)) {
                    for (var thread : each) {
                        if (Files.readString(thread.resolve("comm")).matches("C[12] CompilerThre\\s*")) {
                            var nanos = Files.readString(thread.resolve("schedstat"))
                                    .split(" ")[0];
                            cpu.merge(process.getValue(), Duration.ofNanos(Long.parseLong(nanos)), Duration::plus);
                        }
                    }
                }
            }
        }
        return cpu;
    }

    /**
     * Resident memory by part, in MB. Of PostgreSQL without its children: they share most of theirs with it,
     * and the sum would count that once for each.
     */
    static Map<String, Long> residentMegabytes(RunningPlatform system, List<SecondInstance> others)
            throws IOException, InterruptedException {
        var byPid = processes(system, others).entrySet().stream()
                .collect(Collectors.toMap(
                        process -> String.valueOf(process.getKey().pid()), Map.Entry::getValue));
        var ps = new ProcessBuilder("ps", "-o", "pid=,rss=", "-p", String.join(",", byPid.keySet())).start();
        var resident = new TreeMap<String, Long>();
        new String(ps.getInputStream().readAllBytes(), StandardCharsets.US_ASCII)
                .lines()
                .forEach(line -> {
                    var columns = Arrays.asList(line.trim().split("\\s+"));
                    resident.merge(byPid.get(columns.get(0)), Long.parseLong(columns.get(1)) / 1024, Long::sum);
                });
        ps.waitFor();
        return resident;
    }

    /** Each with what it is counted as. */
    private static Map<ProcessHandle, String> processes(RunningPlatform system, List<SecondInstance> others) {
        var processes = new HashMap<ProcessHandle, String>();
        for (var part : system.parts()) {
            ProcessHandle.of(part.pid()).ifPresent(process -> processes.put(process, name(part.name())));
        }
        others.forEach(other -> other.jvm().ifPresent(process -> processes.put(process, other.service())));
        return processes;
    }

    private static String name(String part) {
        return part.startsWith("kafka-") ? "brokers" : part;
    }

    private static Stream<ProcessHandle> family(ProcessHandle process) {
        return Stream.concat(Stream.of(process), process.descendants());
    }
}
