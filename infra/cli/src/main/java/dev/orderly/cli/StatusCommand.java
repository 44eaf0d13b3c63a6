package dev.orderly.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.github.freva.asciitable.AsciiTable;
import com.github.freva.asciitable.Column;
import com.github.freva.asciitable.ColumnData;
import com.github.freva.asciitable.HorizontalAlign;
import dev.orderly.platform.Console;
import dev.orderly.platform.config.Checkout;
import dev.orderly.platform.config.Secrets;
import dev.orderly.platform.config.StateDirectory;
import dev.orderly.platform.process.ProcessStatus;
import dev.orderly.platform.process.StatusFile;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code ./orderly status}: 0 when all is started and all parts say that they can do their work, else 1. */
@Command(name = "status", description = "Show every part: state, process, port, restarts, memory.")
final class StatusCommand implements Callable<Integer> {
    @Option(names = "--data", paramLabel = "DIR", description = "State folder. (default: .orderly in the checkout)")
    Path data;

    @Option(names = "--json", description = "For programs.")
    boolean json;

    /** What the operating system and the process itself add. @param notReady what it waits for; else empty */
    private record Row(ProcessStatus part, long residentKb, String notReady) {
        boolean isReady() {
            return part.isReady() && notReady.isEmpty();
        }

        String state() {
            return notReady.isEmpty() ? part.state().toString() : "not ready: " + notReady;
        }
    }

    @Override
    public Integer call() throws JsonProcessingException {
        Path state = Checkout.data(data);
        boolean running = StateDirectory.inUse(state);
        var file = running ? StatusFile.read(state) : Optional.<StatusFile>empty();
        if (file.isEmpty()) {
            System.out.println(json ? "{\"running\":false,\"parts\":[]}" : "nothing runs on " + state);
            return 1;
        }
        var rows = rows(state, file.get().parts());
        boolean started = file.get().started();
        System.out.println(
                json ? json(file.get(), rows) : table(rows) + (started ? "" : "\nstarting, more parts follow"));
        // Nothing needs the console, which starts last.
        boolean ready = started
                && rows.stream()
                        .filter(row -> !row.part().name().equals(Console.NAME))
                        .allMatch(Row::isReady);
        return ready ? 0 : 1;
    }

    private static List<Row> rows(Path data, List<ProcessStatus> written) {
        // The file is as old as the last change that could be written: not that of a full disk.
        var parts = written.stream()
                .map(part -> part.pid() == 0 || runs(data, part) ? part : part.stopped())
                .toList();
        var health = new PartHealth(Secrets.of(data, List.of()).of(Secrets.CONNECT));
        var notReady = parts.stream() // all are asked before one is awaited
                .map(part -> part.isReady()
                        ? health.notReady(part.name(), part.port())
                        : CompletableFuture.completedFuture(""))
                .toList();
        return IntStream.range(0, parts.size())
                .mapToObj(i -> {
                    var part = parts.get(i);
                    return new Row(
                            part,
                            part.pid() == 0 ? 0 : residentKb(part.pid()),
                            notReady.get(i).join());
                })
                .toList();
    }

    private static boolean runs(Path data, ProcessStatus part) {
        try {
            return StateDirectory.processOf(data.resolve("run").resolve(part.name() + ".pid"))
                    .filter(process -> process.pid() == part.pid())
                    .isPresent();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String json(StatusFile file, List<Row> rows) throws JsonProcessingException {
        var mapper = new JsonMapper();
        ObjectNode node = mapper.valueToTree(file);
        node.put("running", true);
        for (int i = 0; i < rows.size(); i++) {
            ((ObjectNode) node.path("parts").path(i))
                    .put("residentKb", rows.get(i).residentKb())
                    .put("notReady", rows.get(i).notReady());
        }
        return mapper.writerWithDefaultPrettyPrinter().writeValueAsString(node);
    }

    private static String table(List<Row> rows) {
        long total = rows.stream().mapToLong(Row::residentKb).sum();
        var columns = List.of(
                column("part", HorizontalAlign.LEFT, row -> row.part().name()),
                column("state", HorizontalAlign.LEFT, Row::state),
                column("pid", HorizontalAlign.RIGHT, row -> or(row.part().pid(), "")),
                column("port", HorizontalAlign.RIGHT, row -> or(row.part().port(), "")),
                column("up", HorizontalAlign.RIGHT, row -> since(row.part())),
                column(
                        "restarts",
                        HorizontalAlign.RIGHT,
                        row -> String.valueOf(row.part().restarts())),
                column("RSS MB", HorizontalAlign.RIGHT, row -> or(row.residentKb() >> 10, "")));
        return AsciiTable.getTable(AsciiTable.NO_BORDERS, rows, columns) + "\ntogether " + (total >> 10)
                + " MB resident";
    }

    private static ColumnData<Row> column(String header, HorizontalAlign align, Function<Row, String> value) {
        return new Column().header(header).dataAlign(align).with(value);
    }

    private static String or(long number, String none) {
        return number == 0 ? none : String.valueOf(number);
    }

    private static String since(ProcessStatus part) {
        var up = Duration.between(Instant.parse(part.since()), Instant.now());
        return "%d:%02d:%02d".formatted(up.toHours(), up.toMinutesPart(), up.toSecondsPart());
    }

    /** Of the process and its children, without shared memory where the system distinguishes it. */
    private static long residentKb(long pid) {
        return ProcessHandle.of(pid).stream()
                .flatMap(p -> Stream.concat(Stream.of(p), p.descendants()))
                .mapToLong(p -> residentKbOfOne(p.pid()))
                .sum();
    }

    private static long residentKbOfOne(long pid) {
        Path status = Path.of("/proc", String.valueOf(pid), "status");
        try {
            if (Files.exists(status)) {
                return kilobytes(Files.readString(status), "RssAnon:")
                        + kilobytes(Files.readString(status), "RssFile:");
            }
            Process ps = new ProcessBuilder("ps", "-o", "rss=", "-p", String.valueOf(pid)).start();
            String text = new String(ps.getInputStream().readAllBytes()).strip();
            return text.isEmpty() ? 0 : Long.parseLong(text);
        } catch (IOException _) {
            return 0; // it has ended
        }
    }

    private static long kilobytes(String status, String key) {
        return status.lines()
                .filter(l -> l.startsWith(key))
                .mapToLong(l -> Long.parseLong(l.replaceAll("\\D", "")))
                .findFirst()
                .orElse(0);
    }
}
