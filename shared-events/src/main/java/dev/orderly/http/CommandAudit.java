package dev.orderly.http;

import dev.orderly.database.DeferredWrites;
import dev.orderly.database.Rows;
import jakarta.enterprise.context.ApplicationScoped;
import java.util.List;

/**
 * Who of the staff did what, in the table {@code command_audit}: the subject of the token, and when by the
 * database's clock. What customers do for themselves is in their orders. (What operators do with parked
 * events is in {@code parked_event_audit}, with the event.)
 */
@ApplicationScoped
public class CommandAudit {

    private final Caller caller;
    private final DeferredWrites writes;

    CommandAudit(Caller caller, DeferredWrites writes) {
        this.caller = caller;
        this.writes = writes;
    }

    /**
     * Records a command in the current transaction, which is {@link dev.orderly.database.Atomic}: it is
     * recorded if it takes effect. Nothing is recorded of a customer.
     *
     * @param command what was done, such as {@code deposit 100 EUR}
     * @param target what it was done to
     */
    public void add(String command, String target) {
        if (caller.isStaff()) {
            Rows.of(List.of(caller.subject()))
                    .text("subject", subject -> subject)
                    .text("command", _ -> command)
                    .text("target", _ -> target)
                    .updateLater(writes, "INSERT INTO command_audit (:columns) SELECT :columns FROM :rows");
        }
    }
}
