package dev.orderly.platform.process;

import dev.orderly.platform.config.CommandFailedException;
import dev.orderly.platform.config.PlatformSettings;
import dev.orderly.platform.config.StateDirectory;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps processes running: one that ends is restarted after 0.2 s, doubling to 5 s while it keeps ending,
 * from 0.2 s again once it stayed up for 10 s. One whose liveness probe fails is killed and restarted; one
 * that needs disk space is killed when little is left, and waits until there is. Each runs under {@code
 * guard.sh}, so that it ends with this process, however this process ends.
 */
public final class ProcessSupervisor {
    private static final Logger LOG = LoggerFactory.getLogger(ProcessSupervisor.class);
    private static final Duration MIN_BACKOFF = Duration.ofMillis(200);
    private static final Duration MAX_BACKOFF = Duration.ofSeconds(5);
    private static final Duration STABLE = Duration.ofSeconds(10);
    private static final Duration STARTING_POLL = Duration.ofMillis(150);
    private static final Duration RUNNING_POLL = Duration.ofSeconds(1);
    /** A dozen cold JVMs on two busy cores need a minute and more. */
    private static final Duration FIRST_START = Duration.ofSeconds(180);

    private static final int NOT_ALIVE_LIMIT = 3;
    /** What ends this often before it was ever ready never will be. */
    private static final int FIRST_START_LIMIT = 5;

    private final PlatformSettings settings;
    private final DiskSpace disk;
    private final Consumer<List<ProcessStatus>> onChange;
    private final List<Supervised> parts = new ArrayList<>();

    /** @param onChange gets every change of any status, one at a time */
    public ProcessSupervisor(PlatformSettings settings, Consumer<List<ProcessStatus>> onChange) {
        this.settings = settings;
        this.disk = new DiskSpace(settings.data());
        this.onChange = onChange;
    }

    /** Returns at once. */
    public synchronized Supervised start(ManagedProcess part) {
        var supervised = new Supervised(part);
        parts.add(supervised);
        Thread.ofVirtual().name("supervise-" + part.name()).start(supervised::superviseLoop);
        return supervised;
    }

    /** Stops these in parallel and returns when they have ended: within the longest of their graces. */
    public void stop(Collection<Supervised> which) {
        which.forEach(Supervised::requestStop);
        which.forEach(Supervised::awaitStopped);
    }

    /** Stops one that is not coming back, and returns when it has ended: it has no status any more. */
    public void remove(Supervised part) {
        stop(List.of(part));
        synchronized (this) {
            parts.remove(part);
        }
        changed();
    }

    /** Has {@code onChange} called with the statuses of now. */
    public synchronized void changed() {
        onChange.accept(parts.stream().map(Supervised::status).toList());
    }

    /** Runs a process until it is stopped. */
    public final class Supervised {
        private final ManagedProcess part;
        private final CompletableFuture<Void> firstReady = new CompletableFuture<>();
        private final CountDownLatch stopRequested = new CountDownLatch(1);
        private final CountDownLatch stopped = new CountDownLatch(1);
        private volatile Process guard;
        private volatile List<ProcessHandle> family = List.of();
        private volatile ProcessStatus status;

        private Supervised(ManagedProcess part) {
            this.part = part;
            this.status = ProcessStatus.starting(part, settings.log(part.name()));
        }

        ProcessStatus status() {
            return status;
        }

        /** Returns when it is ready for the first time; fails with what its log says. */
        public void awaitReady() throws InterruptedException {
            try {
                firstReady.get(FIRST_START.toMillis(), TimeUnit.MILLISECONDS);
            } catch (TimeoutException e) {
                throw failure("was not ready within " + FIRST_START.toSeconds() + " s", e);
            } catch (ExecutionException e) {
                throw failure(e.getCause().getMessage(), e);
            }
        }

        private CommandFailedException failure(String what, Exception cause) {
            Path log = settings.log(part.name());
            return new CommandFailedException(
                    part.name() + " " + what + "; its log is " + log
                            + ErrorLogSummary.of(log)
                                    .map(l -> ", and says: " + l)
                                    .orElse(""),
                    cause);
        }

        private void superviseLoop() {
            try {
                Duration backoff = MIN_BACKOFF;
                for (int starts = 1; stopRequested.getCount() > 0; starts++) {
                    awaitSpace();
                    Instant started = Instant.now();
                    String end = runOnce();
                    if (stopRequested.getCount() == 0) {
                        break;
                    }
                    LOG.warn("{} {}", part.name(), end);
                    if (!firstReady.isDone() && starts == FIRST_START_LIMIT) {
                        firstReady.completeExceptionally(
                                new IllegalStateException("could not be started in " + starts + " tries: it " + end));
                        break;
                    }
                    status = status.restarting();
                    changed();
                    backoff = Duration.between(started, Instant.now()).compareTo(STABLE) > 0 ? MIN_BACKOFF : backoff;
                    stopRequested.await(backoff.toMillis(), TimeUnit.MILLISECONDS);
                    backoff = min(backoff.multipliedBy(2), MAX_BACKOFF);
                }
            } catch (InterruptedException e) {
                LOG.error("{} is no longer supervised", part.name(), e); // no code interrupts these threads
            } finally {
                status = status.stopped();
                changed();
                stopped.countDown();
            }
        }

        private void awaitSpace() throws InterruptedException {
            if (!part.needsSpace() || disk.isEnoughToStart()) {
                return;
            }
            LOG.error(
                    "{} is not started until the disk of {} has {} MB again",
                    part.name(),
                    disk.folder(),
                    DiskSpace.START_FROM >> 20);
            status = status.waitingForSpace();
            changed();
            boolean stop;
            do {
                stop = stopRequested.await(RUNNING_POLL.toMillis(), TimeUnit.MILLISECONDS);
            } while (!stop && !disk.isEnoughToStart());
        }

        /** Returns how the process ended. */
        private String runOnce() throws InterruptedException {
            Path pidFile = settings.run(part.name() + ".pid");
            try {
                Files.deleteIfExists(pidFile);
                guard = GuardedProcess.launch(
                        settings, pidFile, part.stop(), settings.log(part.name()), part.command(), part.environment());
                try {
                    if (stopRequested.getCount() > 0) { // else it was requested while this one was being started
                        watch(guard, pidFile);
                    }
                } finally {
                    end(guard, pidFile);
                }
                return "ended with code " + guard.exitValue();
            } catch (IOException e) {
                LOG.error("{} cannot be run", part.name(), e);
                return "cannot be run: " + e.getMessage();
            }
        }

        /** If the guard alone was killed, the process still has its port; the closed pipe ends it. */
        private static void end(Process guard, Path pidFile) throws IOException, InterruptedException {
            guard.getOutputStream().close();
            guard.waitFor();
            StateDirectory.processOf(pidFile)
                    .ifPresent(orphan -> orphan.onExit().join());
        }

        private void watch(Process process, Path pidFile) throws IOException, InterruptedException {
            boolean ready = false;
            int notAlive = 0;
            while (!process.waitFor((ready ? RUNNING_POLL : STARTING_POLL).toMillis(), TimeUnit.MILLISECONDS)) {
                LogLimit.apply(settings.log(part.name()), LogLimit.MAX_BYTES);
                if (status.pid() == 0) {
                    long pid = StateDirectory.processOf(pidFile)
                            .map(ProcessHandle::pid)
                            .orElse(0L);
                    if (pid != 0) {
                        status = status.started(pid);
                        changed();
                    }
                } else if (part.needsSpace() && !disk.isEnoughToRun()) {
                    kill(pidFile, "has too little disk space");
                } else if (!ready) {
                    ready = part.ready().check();
                    if (ready) {
                        status = status.ready();
                        firstReady.complete(null);
                        LOG.info("{} is ready, pid {}", part.name(), status.pid());
                        changed();
                    }
                } else {
                    notAlive = part.alive().check() ? 0 : notAlive + 1;
                    if (notAlive == NOT_ALIVE_LIMIT) {
                        kill(pidFile, "is not alive");
                        notAlive = 0;
                    }
                }
            }
        }

        private void kill(Path pidFile, String why) throws IOException {
            LOG.warn("{} {}: killing it", part.name(), why);
            StateDirectory.processOf(pidFile).ifPresent(ProcessHandle::destroyForcibly);
        }

        private void requestStop() {
            stopRequested.countDown();
            Process process = guard;
            if (process != null) {
                family = process.descendants().toList();
                try {
                    process.getOutputStream().close();
                } catch (IOException e) {
                    throw new UncheckedIOException("cannot close the pipe to " + part.name() + "'s guard", e);
                }
            }
        }

        private void awaitStopped() {
            try {
                stopped.await();
                // PostgreSQL's checkpointer finishes its checkpoint even if its server was killed.
                family.forEach(ProcessHandle::destroyForcibly);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private static Duration min(Duration a, Duration b) {
        return a.compareTo(b) < 0 ? a : b;
    }
}
