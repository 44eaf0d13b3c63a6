package dev.orderly.chaos;

import com.sun.tools.attach.AgentInitializationException;
import com.sun.tools.attach.AgentLoadException;
import com.sun.tools.attach.AttachNotSupportedException;
import com.sun.tools.attach.VirtualMachine;
import java.io.IOException;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jboss.byteman.agent.Transform;
import org.jboss.byteman.agent.submit.ScriptText;
import org.jboss.byteman.agent.submit.Submit;

/**
 * Puts <a href="https://byteman.jboss.org">Byteman</a> rules into a running JVM from outside: so there are crash points and
 * broken variants of the services without a hook in them. What is put in is gone with the process.
 */
final class Byteman {

    private static final Path AGENT = Path.of(
            Transform.class.getProtectionDomain().getCodeSource().getLocation().getPath());

    /** By process id: an agent is loaded once. */
    private final Map<Long, Submit> agents = new ConcurrentHashMap<>();

    /** A place in a service where it is stopped dead, the n-th time that it comes by. */
    enum CrashPoint {
        INBOX_BEFORE_HANDLER("dev.orderly.messaging.Inbox", "addNew", "AT EXIT", SystemUnderTest.SERVICES),
        HANDLER_BEFORE_COMMIT("dev.orderly.messaging.EventConsumer", "apply", "AT EXIT", SystemUnderTest.SERVICES),
        OUTBOX_BEFORE_COMMIT(
                "dev.orderly.messaging.Outbox",
                "add",
                "AT EXIT",
                List.of("order-service", "inventory-service", "payment-service")),
        COMMIT_BEFORE_OFFSETS("dev.orderly.messaging.EventConsumer", "consume", "AT EXIT", SystemUnderTest.SERVICES),
        PROJECTION_BEFORE_COMMIT("dev.orderly.order.view.OrderViewUpdater", "on", "AT EXIT", List.of("order-service")),
        INTAKE_BEFORE_COMMIT("dev.orderly.order.OrderCommands", "place", "AT EXIT", List.of("order-service")),
        INTAKE_BEFORE_ANSWER("dev.orderly.order.OrderBatcher", "answer", "AT ENTRY", List.of("order-service")),
        CANCEL_BEFORE_ANSWER(
                "dev.orderly.order.OrderResource", "cancel", "AFTER INVOKE cancel", List.of("order-service")),
        CAPTURE_BEFORE_COMMIT("dev.orderly.payment.Ledger", "add", "AT EXIT", List.of("payment-service")),
        DEPOSIT_BEFORE_COMMIT("dev.orderly.payment.Ledger", "deposit", "AT EXIT", List.of("payment-service")),
        STOCK_BEFORE_COMMIT("dev.orderly.inventory.Stocks", "update", "AT EXIT", List.of("inventory-service")),
        MAIL_BEFORE_SETTLED(
                "dev.orderly.notification.Notifications", "settle", "AT ENTRY", List.of("notification-service"));

        private final String type;
        private final String method;
        private final String location;
        private final List<String> services;

        CrashPoint(String type, String method, String location, List<String> services) {
            this.type = type;
            this.method = method;
            this.location = location;
            this.services = services;
        }

        /** Where it is met. */
        List<String> services() {
            return services;
        }

        String rule(int visit) {
            return rule(
                    "crash " + visit,
                    type,
                    method,
                    location,
                    "incrementCounter(\"visits " + visit + "\") == " + visit,
                    "killJVM(137)");
        }

        private static String rule(
                String name, String type, String method, String location, String condition, String action) {
            return """
                    RULE %s
                    CLASS %s
                    METHOD %s
                    %s
                    IF %s
                    DO %s
                    ENDRULE
                    """.formatted(name, type, method, location, condition, action);
        }
    }

    private static final String CONSUMER = "dev.orderly.messaging.EventConsumer";

    private static final String NO_SECOND_GUARD = CrashPoint.rule(
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
    private static final String PROJECTION_TAKES_ALL = CrashPoint.rule(
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

    private static final String NO_AUDITOR =
            CrashPoint.rule("sleep", "dev.orderly.messaging.OutboxAuditor", "audit", "AT ENTRY", "TRUE", "RETURN");

    /**
     * What was not there when it began is new to it, whoever else has inserted it meanwhile. The projection takes its time in
     * between, but less than a statement may take (5 s), since there nothing else stands in the way of a second effect.
     */
    private static final String LOOK_THEN_INSERT_SQL = "WITH wanted AS (SELECT ?::text AS consumer, id"
            + " FROM unnest(?::uuid[]) AS id), found AS MATERIALIZED (SELECT * FROM wanted WHERE NOT EXISTS"
            + " (SELECT FROM inbox WHERE inbox.consumer = wanted.consumer AND event_id = wanted.id)),"
            + " later AS MATERIALIZED (SELECT pg_sleep(CASE max(consumer) WHEN 'order-view-consumer-group' THEN 3 ELSE 0 END)"
            + " FROM wanted),"
            + " inserted AS (INSERT INTO inbox (event_day, consumer, event_id)"
            + " SELECT coalesce((uuid_extract_timestamp(id) AT TIME ZONE 'UTC')::date, DATE '1970-01-01'), consumer, id"
            + " FROM found, later ORDER BY 1, 3 ON CONFLICT DO NOTHING)"
            + " SELECT id FROM found";

    /** A promise that is not kept, put into the services so that one can see the checkers see it. */
    enum Sabotage {
        NONE("nothing is broken", List.of(), ""),
        ACKNOWLEDGE_BEFORE_COMMIT(
                "every 40th order is accepted, and then rolled back",
                List.of("order-service"),
                CrashPoint.rule(
                        "sabotage",
                        "dev.orderly.order.OrderCommands",
                        "place",
                        "AT EXIT",
                        "incrementCounter(\"visits\") % 40 == 0",
                        "io.quarkus.narayana.jta.QuarkusTransaction.setRollbackOnly()")),
        SWALLOW(
                "every 40th batch is acknowledged without having taken effect",
                SystemUnderTest.SERVICES,
                CrashPoint.rule(
                        "sabotage",
                        CONSUMER,
                        "consume",
                        "AT ENTRY",
                        "incrementCounter(\"visits\") % 40 == 0",
                        "RETURN")),
        OFFSETS_BEFORE_COMMIT(
                "batches are acknowledged before their transactions, and the service dies in between",
                List.of("inventory-service"),
                CrashPoint.rule(
                                "acknowledge",
                                CONSUMER,
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
                SystemUnderTest.SERVICES,
                CrashPoint.rule(
                                "sabotage",
                                "dev.orderly.messaging.Inbox",
                                "addNew",
                                "AT ENTRY",
                                "TRUE",
                                "RETURN new java.util.HashSet($2)")
                        + NO_SECOND_GUARD),
        LOOK_THEN_INSERT(
                "the inbox looks first, and inserts later what it did not find; no guard behind it",
                List.of("order-service"),
                CrashPoint.rule(
                                "sabotage",
                                "org.postgresql.jdbc.PgConnection",
                                "prepareStatement(String)",
                                "AT ENTRY",
                                "$1.startsWith(\"INSERT INTO inbox\")",
                                "$1 = \"" + LOOK_THEN_INSERT_SQL + "\"")
                        + NO_SECOND_GUARD
                        + PROJECTION_TAKES_ALL,
                // It goes wrong only while two own a partition.
                List.of(fault(1, Fault.Kind.ZOMBIE_SERVICE, "order-service", 1, 5))),
        REORDER(
                "the events of a batch are handled last to first",
                SystemUnderTest.SERVICES,
                CrashPoint.rule("linger", CONSUMER, "consume", "AT ENTRY", "TRUE", "delay(100)")
                        + CrashPoint.rule(
                                "sabotage",
                                CONSUMER,
                                "decisions",
                                "AT ENTRY",
                                "TRUE",
                                "java.util.Collections.reverse($1)")),
        RETRY_BEHIND(
                "the first half of a batch fails, and is tried again behind the other half",
                SystemUnderTest.SERVICES,
                CrashPoint.rule("linger", CONSUMER, "consume", "AT ENTRY", "TRUE", "delay(1000)")
                        + CrashPoint.rule(
                                "sabotage",
                                CONSUMER,
                                "decisions",
                                "AT ENTRY",
                                "TRUE",
                                "java.util.Collections.rotate($1, $1.size() / 2)")),
        FORGET_STOCK(
                "every 5th change of the stock is forgotten",
                List.of("inventory-service"),
                CrashPoint.rule(
                        "sabotage",
                        "dev.orderly.inventory.Stocks",
                        "update",
                        "AT ENTRY",
                        "incrementCounter(\"visits\") % 5 == 0",
                        "RETURN")),
        LOSE_SLOT(
                "a replication slot is dropped, and made again while orders are placed; the auditor sleeps",
                SystemUnderTest.SERVICES,
                NO_AUDITOR,
                List.of(fault(1, Fault.Kind.LOSE_SLOT, "inventory", 2, 3))),
        LATE_SLOT(
                "the first replication slot is made when there are orders already; the auditor sleeps",
                SystemUnderTest.SERVICES,
                NO_AUDITOR,
                List.of(fault(1, Fault.Kind.LOSE_SLOT, "orders", 0, 4)));

        private final String what;
        private final List<String> services;
        private final String rules;
        private final List<Fault> faults;

        Sabotage(String what, List<String> services, String rules) {
            this(what, services, rules, List.of());
        }

        Sabotage(String what, List<String> services, String rules, List<Fault> faults) {
            this.what = what;
            this.services = services;
            this.rules = rules;
            this.faults = faults;
        }

        private static Fault fault(int number, Fault.Kind kind, String target, int at, int lasts) {
            return new Fault(number, kind, target, Duration.ofSeconds(at), Duration.ofSeconds(lasts), number);
        }

        String what() {
            return what;
        }

        List<String> services() {
            return services;
        }

        String rules() {
            return rules;
        }

        /** What has to happen for it to show. */
        List<Fault> faults() {
            return faults;
        }
    }

    /** Returns when the process has the rules; those that it had before stay. */
    void install(long pid, String rules) throws IOException {
        submit(pid, agent -> agent.addScripts(scripts(rules)));
    }

    void uninstall(long pid, String rules) throws IOException {
        submit(pid, agent -> agent.deleteScripts(scripts(rules)));
    }

    /**
     * Why rules of a process are not in force, if so. Byteman looks at the types in a rule only when it is met for the first
     * time, and what it cannot use then it drops without a word: so ask again.
     */
    List<String> complaints(long pid) throws IOException {
        return submit(pid, Submit::listAllRules)
                .lines()
                .filter(line -> line.startsWith("threw ") || line.startsWith("failed to compile"))
                .distinct()
                .toList();
    }

    private static List<ScriptText> scripts(String rules) {
        return List.of(new ScriptText("rules", rules));
    }

    private interface Request {
        String of(Submit agent) throws Exception;
    }

    private String submit(long pid, Request request) throws IOException {
        try {
            var agent = agents.get(pid);
            if (agent == null) {
                agent = Attachment.to(pid);
                agents.put(pid, agent);
            }
            return request.of(agent);
        } catch (IOException e) {
            throw e;
        } catch (Exception e) { // all that Submit declares
            throw new IOException(e);
        }
    }

    /** Apart: a JRE has no attach interface, and containers have no more than that for the commands that know of this one. */
    private static final class Attachment {
        private Attachment() {}

        static Submit to(long pid) throws IOException {
            int port = freePort();
            try {
                var machine = VirtualMachine.attach(String.valueOf(pid));
                try {
                    machine.loadAgent(
                            AGENT.toString(), "listener:true,address:127.0.0.1,port:" + port + ",boot:" + AGENT);
                } finally {
                    machine.detach();
                }
                return new Submit("127.0.0.1", port);
            } catch (AttachNotSupportedException | AgentLoadException | AgentInitializationException e) {
                throw new IOException(e);
            }
        }

        private static int freePort() throws IOException {
            try (var socket = new ServerSocket(0)) {
                return socket.getLocalPort();
            }
        }
    }
}
