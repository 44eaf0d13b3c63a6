package dev.orderly.platform;

import dev.orderly.platform.process.ProcessStatus;
import java.io.PrintStream;
import java.time.Duration;
import java.time.Instant;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/**
 * What the start waits for: on a terminal one line that changes, elsewhere a line for each part that is
 * ready.
 */
public final class ConsoleProgress implements AutoCloseable {
    private static final Duration REFRESH = Duration.ofMillis(200);
    private static final int COLUMNS = 100;
    private static final String CLEAR = "\r\u001b[K";

    private final PrintStream out;
    private final boolean terminal;
    private final Instant started = Instant.now();
    private final CountDownLatch closed = new CountDownLatch(1);
    private final Set<String> shown = new HashSet<>();
    private List<ProcessStatus> parts = List.of();
    private String step = "databases and topics";

    ConsoleProgress(PrintStream out) {
        this.out = out;
        this.terminal = out == System.out && onTerminal();
        if (terminal) {
            Thread.ofPlatform().daemon().name("progress").start(this::redrawUntilClosed);
        }
    }

    /** Only then colours and moving lines make sense. */
    public static boolean onTerminal() {
        return System.console() != null && System.console().isTerminal() && !"dumb".equals(System.getenv("TERM"));
    }

    /** What the start does now, besides waiting for parts. */
    synchronized void step(String now) {
        step = now;
    }

    synchronized void parts(List<ProcessStatus> now) {
        parts = now;
        for (ProcessStatus part : now) {
            if (part.state() == ProcessStatus.State.READY && closed.getCount() > 0 && shown.add(part.name())) {
                line("%-22s ready after %s".formatted(part.name(), elapsed()));
            }
        }
    }

    /** A whole line that stays. */
    synchronized void line(String text) {
        out.println((terminal ? CLEAR : "") + text);
        out.flush();
    }

    String elapsed() {
        return "%.1f s".formatted(Duration.between(started, Instant.now()).toMillis() / 1000.0);
    }

    private void redrawUntilClosed() {
        try {
            while (!closed.await(REFRESH.toMillis(), TimeUnit.MILLISECONDS)) {
                redraw();
            }
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    private synchronized void redraw() {
        if (closed.getCount() == 0) {
            return;
        }
        String waiting = parts.stream()
                .filter(p -> p.state() != ProcessStatus.State.READY)
                .map(ProcessStatus::name)
                .collect(Collectors.joining(", "));
        String text = String.format(Locale.ROOT, "%s  waiting for %s", elapsed(), waiting.isEmpty() ? step : waiting);
        out.print(CLEAR + (text.length() > COLUMNS ? text.substring(0, COLUMNS) : text));
        out.flush();
    }

    /** Removes the moving line. */
    @Override
    public synchronized void close() {
        if (closed.getCount() > 0) {
            closed.countDown();
            if (terminal) {
                out.print(CLEAR);
                out.flush();
            }
        }
    }
}
