package dev.orderly.lab.chaos.check;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.orderly.lab.chaos.fault.Sql;
import dev.orderly.testkit.RunningPlatform;
import java.io.IOException;
import java.net.URI;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Rebuilds the read model, and compares it with the former one, whose tables are left behind. */
public final class ViewRebuildCheck {
    private static final JsonMapper JSON = new JsonMapper();
    private static final Duration MAX_TIME_WITHOUT_PROGRESS = Duration.ofMinutes(1);

    private static final String RUNNING = "RUNNING";
    private static final String PATH = "/order-view/rebuild";

    private static final String DIFFERENCES = """
            SELECT 'order ' || order_id FROM (
                (TABLE order_view EXCEPT TABLE order_view_next) UNION (TABLE order_view_next EXCEPT TABLE order_view)
            )
            UNION
            SELECT 'order ' || order_id FROM (
                (TABLE order_view_event EXCEPT TABLE order_view_event_next)
                UNION (TABLE order_view_event_next EXCEPT TABLE order_view_event)
            )
            """;

    private ViewRebuildCheck() {}

    /**
     * The orders of which the two say different things; to be called when the system is quiescent.
     *
     * @param service the instance of order-service that is to do it
     */
    public static List<String> differences(RunningPlatform system, URI service)
            throws IOException, InterruptedException, SQLException {
        var rebuild = service.resolve(PATH);
        var status = ask(system, "POST", rebuild);
        long deadline = System.nanoTime() + MAX_TIME_WITHOUT_PROGRESS.toNanos();
        while (status.path("state").asText(RUNNING).equals(RUNNING) && System.nanoTime() < deadline) {
            TimeUnit.MILLISECONDS.sleep(200);
            var now = ask(system, "GET", rebuild);
            deadline = now.isEmpty() || now.equals(status)
                    ? deadline
                    : System.nanoTime() + MAX_TIME_WITHOUT_PROGRESS.toNanos();
            status = now;
        }
        if (!status.path("state").asText().equals("DONE")) {
            return List.of("the view could not be rebuilt: " + status);
        }
        return Sql.column(system, "orders", DIFFERENCES);
    }

    private static JsonNode ask(RunningPlatform system, String method, URI rebuild)
            throws IOException, InterruptedException {
        var answer = system.askAsStaff(method, rebuild, null);
        return answer.isPresent() ? JSON.readTree(answer.get()) : JSON.createObjectNode();
    }
}
