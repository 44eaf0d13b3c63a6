package dev.orderly.lab.chaos.fault;

import dev.orderly.testkit.RunningPlatform;
import java.time.Duration;
import java.util.List;

/** A change in the code of the services that breaks a promise, to see that a check finds it. */
public enum Mutation {
    NONE("nothing is changed", List.of(), ""),
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
            "every 40th batch is acknowledged without an effect",
            RunningPlatform.SERVICES,
            Rules.atEntry(Rules.CONSUMER, "consume", "incrementCounter(\"visits\") % 40 == 0", "RETURN")),
    OFFSETS_BEFORE_COMMIT(
            "batches are acknowledged before their transactions, and the service is killed in between",
            List.of("inventory-service"),
            Rules.atEntry(Rules.CONSUMER, "consume", "incrementCounter(\"visits\") >= 20", "RETURN")
                    // At another location, since a rule that returns may hide another one at the same
                    // location.
                    + Rules.atEntry(
                            "dev.orderly.inventory.ReservationHandler",
                            "receive",
                            // The first call starts the timer.
                            "readCounter(\"visits\") >= 20 && getElapsedTimeFromTimer(\"acknowledged\") > 1500",
                            "killJVM(137)")),
    NO_DEDUPLICATION(
            "the inbox takes every event for a new one, and the sequence guard knows none",
            RunningPlatform.SERVICES,
            CrashPoint.rule(
                            "mutation",
                            "dev.orderly.messaging.Inbox",
                            "query",
                            "AT EXIT",
                            "TRUE",
                            "$!.added().addAll($2)")
                    + Rules.NO_SEQUENCE_GUARD),
    LOOK_THEN_INSERT(
            "the inbox selects first, and inserts later what it did not find; no sequence guard",
            List.of("order-service"),
            Rules.atEntry(
                            "org.postgresql.jdbc.PgConnection",
                            "prepareStatement(String)",
                            "$1.startsWith(\"INSERT INTO inbox\")",
                            "$1 = \"" + Rules.LOOK_THEN_INSERT_SQL + "\" + $1.substring($1.indexOf(\";\"))")
                    + Rules.NO_SEQUENCE_GUARD
                    + Rules.NO_CHECK_IN_THE_PROJECTION,
            // It goes wrong only while a partition has two owners.
            List.of(fault(1, Fault.Kind.ZOMBIE_SERVICE, "order-service", 1, 5))),
    REORDER(
            "the events of a batch are handled last to first",
            RunningPlatform.SERVICES,
            Rules.atEntry(Rules.CONSUMER, "consume", "TRUE", "delay(100)")
                    + Rules.atEntry(Rules.CONSUMER, "outgoing", "TRUE", "java.util.Collections.reverse($1)")),
    RETRY_BEHIND(
            "the first half of a batch fails, and is retried after the second",
            RunningPlatform.SERVICES,
            Rules.atEntry(Rules.CONSUMER, "consume", "TRUE", "delay(1000)")
                    + Rules.atEntry(
                            Rules.CONSUMER, "outgoing", "TRUE", "java.util.Collections.rotate($1, $1.size() / 2)")),
    FORGET_STOCK(
            "every 5th change of the stock is dropped",
            List.of("inventory-service"),
            Rules.atEntry("dev.orderly.inventory.Stocks", "update", "incrementCounter(\"visits\") % 5 == 0", "RETURN")),
    FORGET_RESTOCK(
            "no restock is remembered under its key",
            List.of("inventory-service"),
            Rules.atEntry("dev.orderly.inventory.Restocks", "add", "TRUE", "RETURN")),
    LOSE_SLOT(
            "a replication slot is dropped, and created again while orders are placed; the auditor is off",
            RunningPlatform.SERVICES,
            Rules.NO_AUDITOR,
            List.of(fault(1, Fault.Kind.LOSE_SLOT, "inventory", 2, 3))),
    LATE_SLOT(
            "the first replication slot is created when there are orders already; the auditor is off",
            RunningPlatform.SERVICES,
            Rules.NO_AUDITOR,
            List.of(fault(1, Fault.Kind.LOSE_SLOT, "orders", 0, 4)));

    private final String description;
    private final List<String> services;
    private final String rules;
    private final List<Fault> faults;

    Mutation(String description, List<String> services, String rules) {
        this(description, services, rules, List.of());
    }

    Mutation(String description, List<String> services, String rules, List<Fault> faults) {
        this.description = description;
        this.services = services;
        this.rules = rules;
        this.faults = faults;
    }

    private static Fault fault(int number, Fault.Kind kind, String target, int at, int duration) {
        return new Fault(number, kind, target, Duration.ofSeconds(at), Duration.ofSeconds(duration), number);
    }

    public String description() {
        return description;
    }

    List<String> services() {
        return services;
    }

    /** Byteman rules; empty for {@link #NONE}. */
    public String rules() {
        return rules;
    }

    /** The faults without which the mutation has no effect. */
    public List<Fault> faults() {
        return faults;
    }

    /** What several mutations share. */
    private static final class Rules {
        private Rules() {}

        static String atEntry(String type, String method, String condition, String action) {
            return CrashPoint.rule(method + " if " + condition, type, method, "AT ENTRY", condition, action);
        }

        static final String CONSUMER = "dev.orderly.messaging.EventConsumer";

        static final String NO_SEQUENCE_GUARD = atEntry(
                "dev.orderly.messaging.SequenceGuard$Batch",
                "check",
                "TRUE",
                "RETURN dev.orderly.messaging.SequenceGuard$Position.IN_ORDER");

        /** Otherwise the projection fails on a second OrderPlaced, and the inbox finds it in the retry. */
        static final String NO_CHECK_IN_THE_PROJECTION = atEntry(
                        "dev.orderly.order.view.OrderViewUpdater", "requireThat", "TRUE", "RETURN")
                + atEntry(
                        "org.postgresql.jdbc.PgConnection",
                        "prepareStatement(String)",
                        "$1.contains(\"INSERT INTO order_view (\")",
                        "$1 = $1.replaceFirst(" + "\"INSERT INTO order_view .[^;]*\", \"$0 ON CONFLICT DO NOTHING\")");

        static final String NO_AUDITOR = atEntry("dev.orderly.messaging.OutboxAuditor", "audit", "TRUE", "RETURN");

        /**
         * An event that was missing when the statement began is new, even if another transaction has inserted
         * it since. For the projection, where no other guard prevents a second effect, the statement takes 3
         * s, which is less than {@code statement_timeout} (5 s).
         */
        static final String LOOK_THEN_INSERT_SQL = "WITH wanted AS (SELECT ?::text AS consumer, id"
                + " FROM unnest(?::uuid[]) AS id), found AS MATERIALIZED (SELECT * FROM wanted WHERE NOT EXISTS"
                + " (SELECT FROM inbox WHERE inbox.consumer = wanted.consumer AND event_id = wanted.id)),"
                + " later AS MATERIALIZED (SELECT pg_sleep("
                + "CASE max(consumer) WHEN 'order-view-consumer-group' THEN 3 ELSE 0 END) FROM wanted),"
                + " inserted AS (INSERT INTO inbox (event_day, consumer, event_id)"
                + " SELECT coalesce((uuid_extract_timestamp(id) AT TIME ZONE 'UTC')::date, DATE '1970-01-01'),"
                + " consumer, id FROM found, later ORDER BY 1, 3 ON CONFLICT DO NOTHING)"
                + " SELECT id FROM found";
    }
}
