package dev.orderly.lab.chaos.check;

import static java.util.stream.Collectors.toSet;

import dev.orderly.lab.chaos.workload.OperationHistory.Action;
import dev.orderly.lab.chaos.workload.OperationHistory.Operation;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** Whether personal data is where it belongs, and nowhere else. */
final class PrivacyChecks {
    private static final String CUSTOMERS = "table orders.customer";
    private static final String CONTACTS = "table notifications.contact";
    private static final Set<String> TABLES =
            Set.of(CUSTOMERS, "table orders.outbox", CONTACTS, "table notifications.notification");
    private static final String TOPIC = "topic customer-service";

    private PrivacyChecks() {}

    static List<String> confined(SystemSnapshot snapshot) {
        var violations = new ArrayList<String>();
        var erased = snapshot.client().acknowledged(Action.ERASE);
        for (var finding : snapshot.observations().personalData()) {
            boolean table = TABLES.contains(finding.place());
            if (!table && !finding.place().equals(TOPIC)) {
                violations.add("in " + finding.place() + ": " + finding.person());
            } else if (table && erased.contains(finding.person().marker())) {
                violations.add("erased, but in " + finding.place() + ": " + finding.person());
            }
        }
        return violations;
    }

    static List<String> registered(SystemSnapshot snapshot) {
        var violations = new ArrayList<String>();
        var perhapsErased = snapshot.client().of(Action.ERASE).stream()
                .map(Operation::subject)
                .collect(toSet());
        for (var place : List.of(CUSTOMERS, CONTACTS)) {
            var found = snapshot.observations().personalData().stream()
                    .filter(finding -> finding.place().equals(place))
                    .map(finding -> finding.person().marker())
                    .collect(toSet());
            snapshot.client().acknowledged(Action.REGISTER).stream()
                    .filter(person -> !found.contains(person) && !perhapsErased.contains(person))
                    .forEach(person -> violations.add("registered, but not in " + place + ": " + person));
        }
        return violations;
    }
}
