package dev.orderly.lab.chaos.fault;

import static dev.orderly.testkit.RunningPlatform.BROKERS;
import static dev.orderly.testkit.RunningPlatform.DATABASES;
import static dev.orderly.testkit.RunningPlatform.GROUPS;
import static dev.orderly.testkit.RunningPlatform.SERVICES;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.stream.Stream;

/**
 * One fault of a schedule.
 *
 * @param number 1, 2, 3 … in the schedule
 * @param target a process, a database, a consumer group …
 * @param at when, from the beginning of the load
 * @param duration of those faults that last
 * @param randomParameter from 1 to 999, where a fault needs one more random number
 */
public record Fault(int number, Kind kind, String target, Duration at, Duration duration, int randomParameter) {

    /** {@code docs/results/faults.md} says what each does. */
    public enum Kind {
        KILL_SERVICE(SERVICES),
        CRASH_POINT(Arrays.stream(CrashPoint.values())
                .flatMap(point -> point.services().stream().map(service -> point + "@" + service))
                .toList()),
        PAUSE_SERVICE(2, 14, SERVICES),
        RESTART_SERVICE(SERVICES),
        KILL_TWO_SERVICES(List.of(
                "order-service+payment-service",
                "order-service+inventory-service",
                "inventory-service+payment-service",
                "payment-service+connect",
                "order-service+connect")),
        KILL_ALL_SERVICES(List.of("all")),
        SECOND_INSTANCE(4, 8, SERVICES),
        REBALANCE_STORM(6, 9, List.of("inventory-service", "payment-service")),
        ZOMBIE_SERVICE(5, 8, SERVICES),
        KILL_CONNECT(List.of("connect")),
        PAUSE_CONNECT(3, 13, List.of("connect")),
        RESTART_CONNECT(List.of("connect")),
        RESTART_CONNECTOR(DATABASES),
        PAUSE_CONNECTOR(2, 6, DATABASES),
        KILL_WALSENDER(DATABASES),
        LOSE_SLOT(2, 4, DATABASES),
        KILL_BROKER(BROKERS),
        PAUSE_BROKER(2, 12, BROKERS),
        RESTART_BROKER(BROKERS),
        ROLLING_BROKERS(List.of("all")),
        KILL_CONTROLLER(List.of("the active one")),
        KILL_ALL_BROKERS(List.of("all")),
        MOVE_LEADERS(List.of("all")),
        KILL_POSTGRES(List.of("postgres")),
        PAUSE_POSTGRES(2, 8, List.of("postgres")),
        RESTART_POSTGRES(List.of("postgres")),
        KILL_BACKENDS(DATABASES),
        FREEZE_BACKENDS(5, 25, DATABASES),
        FREEZE_WALSENDER(5, 25, DATABASES),
        LOCK_TABLES(
                2,
                8,
                List.of("orders:orders", "orders:order_view", "inventory:stock", "payments:balance", "payments:inbox")),
        CHANGE_TABLE(DATABASES),
        READ_ONLY_POSTGRES(3, 12, List.of("postgres")),
        KILL_SIMULATORS(List.of("simulators")),
        PAUSE_SIMULATORS(3, 12, List.of("simulators")),
        HANG_MAIL(3, 10, List.of("the mail server")),
        FAIL_GATEWAY(3, 12, List.of("unavailable", "error", "hang", "duplicate", "never")),
        SLOW_SENDERS(5, 12, SERVICES),
        HALF_HEADS(5, 12, SERVICES),
        DUPLICATES(List.of("order-service")),
        POISON(PoisonRecord.names()),
        REWIND_OFFSETS(GROUPS.keySet().stream().sorted().toList()),
        POWER_CUT(List.of("all")),
        /** The control, to compare recovery times with: only when selected by name. */
        NOTHING(List.of("nothing"));

        private final int minSeconds;
        private final int maxSeconds;
        private final List<String> targets;

        Kind(List<String> targets) {
            this(0, 0, targets);
        }

        Kind(int minSeconds, int maxSeconds, List<String> targets) {
            this.minSeconds = minSeconds;
            this.maxSeconds = maxSeconds;
            this.targets = targets;
        }

        List<String> targets() {
            return targets;
        }

        /** All but the control. */
        static List<Kind> all() {
            return Stream.of(values()).filter(kind -> kind != NOTHING).toList();
        }

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT).replace('_', '-');
        }
    }

    /** The infinite schedule of a seed. Every kind comes up before any comes up again. */
    public static Stream<Fault> schedule(long seed, Duration meanPause, Collection<Kind> kinds) {
        var random = new Random(seed);
        var deck = new ArrayList<Kind>();
        return kinds.isEmpty()
                ? Stream.empty()
                : Stream.iterate(
                        next(1, Duration.ZERO, meanPause, kinds, deck, random),
                        last -> next(last.number + 1, last.at, meanPause, kinds, deck, random));
    }

    private static Fault next(
            int number, Duration after, Duration meanPause, Collection<Kind> kinds, List<Kind> deck, Random random) {
        var at = after.plus(pause(random, meanPause));
        if (deck.isEmpty()) {
            deck.addAll(kinds.stream().sorted().toList());
            Collections.shuffle(deck, random);
        }
        var kind = deck.removeLast();
        var target = kind.targets().get(random.nextInt(kind.targets().size()));
        var duration = Duration.ofMillis(random.nextLong(kind.minSeconds * 1000L, kind.maxSeconds * 1000L + 1));
        return new Fault(number, kind, target, at, duration, random.nextInt(1, 1000));
    }

    /** Between a half and one and a half times the mean. */
    private static Duration pause(Random random, Duration mean) {
        return Duration.ofMillis(random.nextLong(mean.toMillis() / 2, mean.toMillis() * 3 / 2 + 1));
    }

    /** The kinds of a list of names, of {@code all}, {@code none} and {@code -name} for all but that one. */
    public static List<Kind> kinds(Collection<String> names) {
        var chosen = new ArrayList<Kind>();
        for (String name : names) {
            switch (name) {
                case "all" -> chosen.addAll(Kind.all());
                case "none" -> chosen.clear();
                default -> {
                    if (name.startsWith("-")) {
                        if (chosen.isEmpty()) {
                            chosen.addAll(Kind.all());
                        }
                        chosen.remove(kind(name.substring(1)));
                    } else {
                        chosen.add(kind(name));
                    }
                }
            }
        }
        return chosen.stream().distinct().toList();
    }

    private static Kind kind(String name) {
        return Stream.of(Kind.values())
                .filter(kind -> kind.toString().equals(name))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("no such fault: " + name + "; there are "
                        + Stream.of(Kind.values()).map(Kind::toString).toList()));
    }
}
