package dev.orderly.lab.chaos.fault;

import dev.orderly.testkit.RunningPlatform;
import java.time.Duration;
import java.util.List;

/** A promise that is not kept, put into the services so that one can see the checkers see it. */
public enum Mutation {
    NONE("nothing is broken", List.of(), ""),
    ACKNOWLEDGE_BEFORE_COMMIT(
            "every 40th order is accepted, and then rolled back",
            List.of("order-service"),
            CrashPoint.rule(
                    "mutation",
                    "dev.orderly.order.OrderCommands",
                    "place",
                    "AT EXIT",
                    "incrementCounter(\"visits\") % 40 == 0",
                    "io.quarkus.narayana.jta.QuarkusTransaction.setRollbackOnly()")),
    SWALLOW(
            "every 40th batch is acknowledged without having taken effect",
            RunningPlatform.SERVICES,
            CrashPoint.rule(
                    "mutation",
                    Rules.CONSUMER,
                    "consume",
                    "AT ENTRY",
                    "incrementCounter(\"visits\") % 40 == 0",
                    "RETURN")),
    OFFSETS_BEFORE_COMMIT(
            "batches are acknowledged before their transactions, and the service dies in between",
            List.of("inventory-service"),
            CrashPoint.rule(
                            "acknowledge",
                            Rules.CONSUMER,
                            "consume",
                            "AT ENTRY",
                            "incrementCounter(\"visits\") >= 20",
                            "RETURN")
                    // Elsewhere: of two rules in one place, one that returns may hide the other.
                    + CrashPoint.rule(
                            "die when Kafka has been told",
                            "dev.orderly.inventory.ReservationHandler",
                            "receive",
                            "AT ENTRY",
                            // The timer begins when it is first asked.
                            "readCounter(\"visits\") >= 20 && getElapsedTimeFromTimer(\"acknowledged\") > 1500",
                            "killJVM(137)")),
    NO_DEDUPLICATION(
            "the inbox takes every event for a new one, and the guard behind it remembers none",
            RunningPlatform.SERVICES,
            CrashPoint.rule(
                            "mutation",
                            "dev.orderly.messaging.Inbox",
                            "addNew",
                            "AT ENTRY",
                            "TRUE",
                            "RETURN new java.util.HashSet($2)")
                    + Rules.NO_SECOND_GUARD),
    LOOK_THEN_INSERT(
            "the inbox looks first, and inserts later what it did not find; no guard behind it",
            List.of("order-service"),
            CrashPoint.rule(
                            "mutation",
                            "org.postgresql.jdbc.PgConnection",
                            "prepareStatement(String)",
                            "AT ENTRY",
                            "$1.startsWith(\"INSERT INTO inbox\")",
                            "$1 = \"" + Rules.LOOK_THEN_INSERT_SQL + "\"")
                    + Rules.NO_SECOND_GUARD
                    + Rules.PROJECTION_TAKES_ALL,
            // It goes wrong only while two own a partition.
            List.of(fault(1, Fault.Kind.ZOMBIE_SERVICE, "order-service", 1, 5))),
    REORDER(
            "the events of a batch are handled last to first",
            RunningPlatform.SERVICES,
            CrashPoint.rule("linger", Rules.CONSUMER, "consume", "AT ENTRY", "TRUE", "delay(100)")
                    + CrashPoint.rule(
                            "mutation",
                            Rules.CONSUMER,
                            "decisions",
                            "AT ENTRY",
                            "TRUE",
                            "java.util.Collections.reverse($1)")),
    RETRY_BEHIND(
            "the first half of a batch fails, and is tried again behind the other half",
            RunningPlatform.SERVICES,
            CrashPoint.rule("linger", Rules.CONSUMER, "consume", "AT ENTRY", "TRUE", "delay(1000)")
                    + CrashPoint.rule(
                            "mutation",
                            Rules.CONSUMER,
                            "decisions",
                            "AT ENTRY",
                            "TRUE",
                            "java.util.Collections.rotate($1, $1.size() / 2)")),
    FORGET_STOCK(
            "every 5th change of the stock is forgotten",
            List.of("inventory-service"),
            CrashPoint.rule(
                    "mutation",
                    "dev.orderly.inventory.Stocks",
                    "update",
                    "AT ENTRY",
                    "incrementCounter(\"visits\") % 5 == 0",
                    "RETURN")),
    LOSE_SLOT(
            "a replication slot is dropped, and made again while orders are placed; the auditor sleeps",
            RunningPlatform.SERVICES,
            Rules.NO_AUDITOR,
            List.of(fault(1, Fault.Kind.LOSE_SLOT, "inventory", 2, 3))),
    LATE_SLOT(
            "the first replication slot is made when there are orders already; the auditor sleeps",
            RunningPlatform.SERVICES,
            Rules.NO_AUDITOR,
            List.of(fault(1, Fault.Kind.LOSE_SLOT, "orders", 0, 4)));

    private final String what;
    private final List<String> services;
    private final String rules;
    private final List<Fault> faults;

    Mutation(String what, List<String> services, String rules) {
        this(what, services, rules, List.of());
    }

    Mutation(String what, List<String> services, String rules, List<Fault> faults) {
        this.what = what;
        this.services = services;
        this.rules = rules;
        this.faults = faults;
    }

    private static Fault fault(int number, Fault.Kind kind, String target, int at, int lasts) {
        return new Fault(number, kind, target, Duration.ofSeconds(at), Duration.ofSeconds(lasts), number);
    }

    public String what() {
        return what;
    }

    List<String> services() {
        return services;
    }

    String rules() {
        return rules;
    }

    /** What has to happen for it to show. */
    public List<Fault> faults() {
        return faults;
    }

    /** The rules that several of them share. */
    private static final class Rules {
        private Rules() {}

        static final String CONSUMER = "dev.orderly.messaging.EventConsumer";

        static final String NO_SECOND_GUARD = CrashPoint.rule(
                "take all for the next",
                "dev.orderly.messaging.SequenceGuard$Batch",
                "judge",
                "AT ENTRY",
                "TRUE",
                "RETURN dev.orderly.messaging.SequenceGuard$Verdict.NEXT");

        /**
         * Of its own accord the projection fails when an order is placed a second time, and the batch is tried again: with a
         * second look that finds.
         */
        static final String PROJECTION_TAKES_ALL = CrashPoint.rule(
                        "require nothing",
                        "dev.orderly.order.view.OrderViewUpdater",
                        "requireThat",
                        "AT ENTRY",
                        "TRUE",
                        "RETURN")
                + CrashPoint.rule(
                        "place again",
                        "org.postgresql.jdbc.PgConnection",
                        "prepareStatement(String)",
                        "AT ENTRY",
                        "$1.startsWith(\"INSERT INTO order_view (\")",
                        "$1 = $1 + \" ON CONFLICT DO NOTHING\"");

        static final String NO_AUDITOR =
                CrashPoint.rule("sleep", "dev.orderly.messaging.OutboxAuditor", "audit", "AT ENTRY", "TRUE", "RETURN");

        /**
         * What was not there when it began is new to it, whoever else has inserted it meanwhile. The projection takes its time in
         * between, but less than a statement may take (5 s), since there nothing else stands in the way of a second effect.
         */
        static final String LOOK_THEN_INSERT_SQL = "WITH wanted AS (SELECT ?::text AS consumer, id"
                + " FROM unnest(?::uuid[]) AS id), found AS MATERIALIZED (SELECT * FROM wanted WHERE NOT EXISTS"
                + " (SELECT FROM inbox WHERE inbox.consumer = wanted.consumer AND event_id = wanted.id)),"
                + " later AS MATERIALIZED (SELECT pg_sleep(CASE max(consumer) WHEN 'order-view-consumer-group' THEN 3 ELSE 0 END)"
                + " FROM wanted),"
                + " inserted AS (INSERT INTO inbox (event_day, consumer, event_id)"
                + " SELECT coalesce((uuid_extract_timestamp(id) AT TIME ZONE 'UTC')::date, DATE '1970-01-01'), consumer, id"
                + " FROM found, later ORDER BY 1, 3 ON CONFLICT DO NOTHING)"
                + " SELECT id FROM found";
    }
}
