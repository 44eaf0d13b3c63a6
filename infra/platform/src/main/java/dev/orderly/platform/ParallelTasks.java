package dev.orderly.platform;

import dev.orderly.platform.config.CommandFailedException;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorCompletionService;
import java.util.concurrent.Executors;

/** Steps of a start that do not wait for each other. */
final class ParallelTasks {
    private ParallelTasks() {}

    interface Task {
        void run() throws InterruptedException;
    }

    /** Returns when all are done, or as soon as one has failed. */
    static void run(Task... tasks) throws InterruptedException {
        var executor = Executors.newVirtualThreadPerTaskExecutor();
        try {
            var finished = new ExecutorCompletionService<Void>(executor);
            for (Task task : tasks) {
                finished.submit((Callable<Void>) () -> {
                    task.run();
                    return null;
                });
            }
            for (int i = 0; i < tasks.length; i++) {
                finished.take().get();
            }
        } catch (ExecutionException e) {
            switch (e.getCause()) {
                case CommandFailedException failure -> throw failure;
                case InterruptedException interrupted -> throw interrupted;
                default -> throw new IllegalStateException("the start failed", e.getCause());
            }
        } finally {
            executor.shutdownNow();
        }
    }
}
