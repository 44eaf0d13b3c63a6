package dev.orderly.lab.chaos.fault;

import dev.orderly.testkit.RunningPlatform;
import java.util.List;

/** A location in the code of services at which the JVM halts, at the n-th visit. */
public enum CrashPoint {
    INBOX_BEFORE_HANDLER("dev.orderly.messaging.Inbox", "receive", "AT EXIT", RunningPlatform.SERVICES),
    HANDLER_BEFORE_COMMIT("dev.orderly.messaging.EventConsumer", "apply", "AT EXIT", RunningPlatform.SERVICES),
    OUTBOX_BEFORE_COMMIT(
            "dev.orderly.messaging.Outbox",
            "add",
            "AT EXIT",
            List.of("order-service", "inventory-service", "payment-service")),
    COMMIT_BEFORE_OFFSETS("dev.orderly.messaging.EventConsumer", "consume", "AT EXIT", RunningPlatform.SERVICES),
    PROJECTION_BEFORE_COMMIT("dev.orderly.order.view.OrderViewUpdater", "on", "AT EXIT", List.of("order-service")),
    INTAKE_BEFORE_COMMIT("dev.orderly.order.OrderCommands", "place", "AT EXIT", List.of("order-service")),
    INTAKE_BEFORE_ANSWER("dev.orderly.order.OrderBatcher", "answer", "AT ENTRY", List.of("order-service")),
    CANCEL_BEFORE_ANSWER("dev.orderly.order.OrderResource", "cancel", "AFTER INVOKE cancel", List.of("order-service")),
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

    List<String> services() {
        return services;
    }

    /** The Byteman rule that halts the JVM at this visit. */
    public String rule(int visit) {
        return rule(
                "crash " + visit,
                type,
                method,
                location,
                "incrementCounter(\"visits " + visit + "\") == " + visit,
                "killJVM(137)");
    }

    static String rule(String name, String type, String method, String location, String condition, String action) {
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
