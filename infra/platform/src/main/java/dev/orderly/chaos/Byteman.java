package dev.orderly.chaos;

import com.sun.tools.attach.AgentInitializationException;
import com.sun.tools.attach.AgentLoadException;
import com.sun.tools.attach.AttachNotSupportedException;
import com.sun.tools.attach.VirtualMachine;
import java.io.IOException;
import java.net.ServerSocket;
import java.nio.file.Path;
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
        PROJECTION_BEFORE_COMMIT("dev.orderly.order.view.OrderProjection", "on", "AT EXIT", List.of("order-service")),
        INTAKE_BEFORE_COMMIT("dev.orderly.order.OrderCommands", "place", "AT EXIT", List.of("order-service")),
        INTAKE_BEFORE_ANSWER("dev.orderly.order.OrderIntake", "answer", "AT ENTRY", List.of("order-service")),
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
                        "dev.orderly.messaging.EventConsumer",
                        "consume",
                        "AT ENTRY",
                        "incrementCounter(\"visits\") % 40 == 0",
                        "RETURN")),
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
                        + CrashPoint.rule(
                                "forget versions",
                                "dev.orderly.messaging.VersionGuard$Batch",
                                "save",
                                "AT ENTRY",
                                "TRUE",
                                "RETURN")
                        + CrashPoint.rule(
                                "see no gaps",
                                "dev.orderly.messaging.VersionGuard",
                                "seesAllOf",
                                "AT ENTRY",
                                "TRUE",
                                "RETURN false")),
        REORDER(
                "the events of a batch are handled last to first",
                SystemUnderTest.SERVICES,
                CrashPoint.rule(
                                "linger",
                                "dev.orderly.messaging.EventConsumer",
                                "consume",
                                "AT ENTRY",
                                "TRUE",
                                "Thread.sleep(100)")
                        + CrashPoint.rule(
                                "sabotage",
                                "dev.orderly.messaging.EventConsumer",
                                "decisions",
                                "AT ENTRY",
                                "TRUE",
                                "java.util.Collections.reverse($1)")),
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
        /** The loss itself is not by a rule: see {@link Injector#loseSlot}. */
        LOSE_SLOT(
                "a replication slot is dropped, and made again while orders are placed; the auditor sleeps",
                SystemUnderTest.SERVICES,
                CrashPoint.rule(
                        "sabotage", "dev.orderly.messaging.OutboxAuditor", "audit", "AT ENTRY", "TRUE", "RETURN"));

        private final String what;
        private final List<String> services;
        private final String rules;

        Sabotage(String what, List<String> services, String rules) {
            this.what = what;
            this.services = services;
            this.rules = rules;
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
    }

    /** Returns when the process has the rules; those that it had before stay. */
    void install(long pid, String rules) throws IOException {
        submit(pid, rules, Submit::addScripts);
    }

    void uninstall(long pid, String rules) throws IOException {
        submit(pid, rules, Submit::deleteScripts);
    }

    private interface Change {
        String to(Submit agent, List<ScriptText> scripts) throws Exception;
    }

    private void submit(long pid, String rules, Change change) throws IOException {
        try {
            var agent = agents.get(pid);
            if (agent == null) {
                agent = attach(pid);
                agents.put(pid, agent);
            }
            change.to(agent, List.of(new ScriptText("rules", rules)));
        } catch (IOException e) {
            throw e;
        } catch (Exception e) { // all that Submit declares
            throw new IOException(e);
        }
    }

    private static Submit attach(long pid) throws IOException {
        int port = freePort();
        try {
            var machine = VirtualMachine.attach(String.valueOf(pid));
            try {
                machine.loadAgent(AGENT.toString(), "listener:true,address:127.0.0.1,port:" + port + ",boot:" + AGENT);
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
