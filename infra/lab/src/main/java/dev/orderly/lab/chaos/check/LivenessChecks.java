package dev.orderly.lab.chaos.check;

import static java.util.stream.Collectors.toMap;

import dev.orderly.lab.chaos.check.SystemSnapshot.OrderRow;
import dev.orderly.lab.chaos.check.SystemSnapshot.ViewEventRow;
import dev.orderly.lab.chaos.fault.TimeSpan;
import dev.orderly.lab.chaos.workload.OperationHistory.Action;
import dev.orderly.lab.chaos.workload.OperationHistory.Operation;
import dev.orderly.lab.chaos.workload.OperationHistory.Outcome;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/** Whether the system goes on: orders are accepted, are decided in time, and end. */
final class LivenessChecks {
    /**
     * Longer than the start of a service that is killed twice before it is ready, while everything else on
     * the machine starts as well: 145 s were seen on two threads of one core.
     */
    private static final Duration MAX_SILENCE = Duration.ofSeconds(240);

    private static final Duration DECISION_GRACE = Duration.ofSeconds(30);
    private static final Set<String> FINAL_EVENTS = Set.of("OrderConfirmed", "OrderRejected", "OrderCancelled");

    private LivenessChecks() {}

    static List<String> ordersEnd(SystemSnapshot snapshot) {
        return snapshot.orders().rows().stream()
                .filter(order -> !order.terminal())
                .map(order -> "order " + order.id() + " is still " + order.status())
                .toList();
    }

    static List<String> ordersAreDecidedInTime(SystemSnapshot snapshot) {
        var violations = new ArrayList<String>();
        var decisions = snapshot.orders().viewEvents().stream()
                .filter(event -> FINAL_EVENTS.contains(event.type()))
                .collect(toMap(ViewEventRow::order, ViewEventRow::occurredAt, (first, _) -> first));
        for (var order : snapshot.orders().rows()) {
            var decided = decisions.get(order.id());
            if (decided == null) {
                continue; // for I06 and I11 to say
            }
            var due = order.placedAt().plus(snapshot.orders().deadline());
            if (decided.isBefore(due) && order.expired()) {
                violations.add("order %s expired at %s, before %s".formatted(order.id(), decided, due));
            }
            var down = TimeSpan.overlap(snapshot.observations().outages(), due, decided);
            if (Duration.between(due, decided).minus(down).compareTo(DECISION_GRACE) > 0) {
                violations.add("order %s was decided at %s instead of %s".formatted(order.id(), decided, due));
            }
        }
        return violations;
    }

    static List<String> quiescent(SystemSnapshot snapshot) {
        return snapshot.observations().pendingWork();
    }

    static List<String> ordersAreAlwaysAccepted(SystemSnapshot snapshot) {
        var violations = new ArrayList<String>();
        var load = snapshot.client().load();
        var accepted = snapshot.client().of(Action.PLACE).stream()
                .filter(operation -> operation.outcome() == Outcome.OK)
                .map(Operation::completed);
        var last = load.since();
        for (var moment :
                Stream.concat(accepted, Stream.of(load.until())).sorted().toList()) {
            var powerless = TimeSpan.overlap(snapshot.disturbances().powerCuts(), last, moment);
            if (Duration.between(last, moment).minus(powerless).compareTo(MAX_SILENCE) > 0) {
                violations.add("no order was accepted between " + last + " and " + moment);
            }
            last = moment;
        }
        return violations;
    }

    /** A system that refuses everything is quiescent, too: hence one more order when all else is done. */
    static List<String> lastOrderIsConfirmed(SystemSnapshot snapshot) {
        var orders = snapshot.orders().byId();
        boolean confirmed = snapshot.client().of(Action.PLACE).stream()
                .max(Comparator.comparing(Operation::invoked))
                .map(operation -> orders.get(String.valueOf(operation.order())))
                .filter(OrderRow::confirmed)
                .isPresent();
        return confirmed ? List.of() : List.of("the last order was not confirmed");
    }
}
