package dev.orderly.relay;

import io.debezium.connector.base.QueueProvider;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.TimeUnit;

/**
 * What Debezium's reader has put in and its task has not yet taken, as in Debezium's own provider; but a
 * thread can wait for an event without taking it. {@link io.debezium.connector.base.ChangeEventQueue} keeps
 * order and limits, and calls this under its lock, so nothing here may block.
 *
 * @param <T> the events
 */
final class SignallingQueue<T> implements QueueProvider<T> {
    private final Queue<T> events = new ArrayDeque<>();

    @Override
    public String name() {
        return "signalling";
    }

    @Override
    public void configure(Map<String, ?> settings) {}

    @Override
    public synchronized void enqueue(T event) {
        events.add(event);
        notifyAll();
    }

    @Override
    public synchronized T poll() {
        return events.poll();
    }

    @Override
    public synchronized int size() {
        return events.size();
    }

    /**
     * Returns as soon as there is an event, or after the given time.
     *
     * @return whether there is one
     */
    synchronized boolean awaitEvent(Duration atMost) throws InterruptedException {
        long end = System.nanoTime() + atMost.toNanos();
        while (events.isEmpty()) {
            long left = end - System.nanoTime();
            if (left <= 0) {
                return false;
            }
            // Never less than asked for: with 0 ms it would wait forever, and without any it would spin.
            wait(TimeUnit.NANOSECONDS.toMillis(left) + 1);
        }
        return true;
    }
}
