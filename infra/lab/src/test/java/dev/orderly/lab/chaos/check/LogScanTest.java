package dev.orderly.lab.chaos.check;

import static org.assertj.core.api.Assertions.assertThat;

import dev.orderly.lab.chaos.fault.PoisonRecord;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What is found in logs, and what is excused. */
class LogScanTest {
    private static final String ERROR = "2026-11-23 10:00:00,000 ERROR ";
    private static final String CONSUMER = ERROR + "[dev.orderly.messaging.EventConsumer] (executor-thread-1) ";

    @Test
    void an_error_is_excused_by_its_cause_and_by_nothing_else() {
        var log = List.of(
                ERROR + "[http-problem] (executor-thread-1) status=500: Error invoking method",
                "\tat dev.orderly.order.OrderCommands.place(OrderCommands.java:80)",
                "Caused by: org.postgresql.util.PSQLException: FATAL: terminating connection",
                ERROR + "[io.quarkus.runtime.Application] (main) Failed to start application",
                "Caused by: java.lang.IllegalStateException: Shutdown in progress",
                ERROR + "[io.vertx.ext.web.RoutingContext] (executor-thread-1) Unhandled exception in router"
                        + " [Error Occurred After Shutdown]: java.util.concurrent.RejectedExecutionException",
                "2026-11-23 10:00:00,500 ERROR [dev.orderly.order.Order] (executor-thread-1) our own"
                        + " [Error Occurred After Shutdown]",
                "2026-11-23 10:00:01,000 INFO  [dev.orderly] (main) an ERROR in a message",
                ERROR + "[dev.orderly.order.Order] (executor-thread-1) something new",
                "java.lang.NullPointerException");

        assertThat(LogScan.errors(log, List.of(), false)).containsExactly(log.get(6), log.get(8));
    }

    @Test
    void a_statement_that_is_wrong_is_not_excused_by_the_database() {
        var log = List.of(
                CONSUMER + "failed",
                "Caused by: org.postgresql.util.PSQLException: ERROR: new row violates check constraint");

        assertThat(LogScan.errors(log, List.of(), true)).containsExactly(log.getFirst());
    }

    @Test
    void a_client_that_may_not_is_not_excused_by_the_brokers() {
        var log = List.of(
                ERROR + "[io.smallrye.reactive.messaging.kafka] (smallrye-kafka-consumer-thread-0) SRMSG18217: failed",
                "org.apache.kafka.common.errors.GroupAuthorizationException: Not authorized to access group");

        assertThat(LogScan.errors(log, List.of(), false)).containsExactly(log.getFirst());
    }

    @Test
    void parking_is_excused_where_poison_is_and_missing_events_where_a_slot_was_lost() {
        var parking = CONSUMER + "order-consumer-group: parking order-service-2@7";
        var missing = CONSUMER + "payment-consumer-group: events are missing before order-service-0@9";
        var log = List.of(parking, missing);

        assertThat(LogScan.errors(log, poisonAt(7), true)).isEmpty();
        assertThat(LogScan.errors(log, poisonAt(8), false)).containsExactly(parking, missing);
    }

    private static List<PoisonRecord.Injected> poisonAt(int offset) {
        return List.of(new PoisonRecord.Injected(PoisonRecord.NOT_JSON, 2, offset));
    }

    @Test
    void a_container_logs_json_and_is_judged_alike() {
        var unexpected = json("ERROR", "dev.orderly.order.Order", "something new", "");
        var outage = json("ERROR", "dev.orderly.http.Problems", "failed", "org.postgresql.util.PSQLException: FATAL");
        var start = json("INFO", "dev.orderly", "an ERROR in a message", "");

        assertThat(LogScan.errors(List.of(unexpected, outage, start), List.of(), false))
                .singleElement()
                .asString()
                .contains("[dev.orderly.order.Order]", "something new");
    }

    private static String json(String level, String logger, String message, String stackTrace) {
        return """
                {"timestamp":"2026-11-23T10:00:02.000Z","level":"%s","loggerName":"%s","threadName":"main",\
                "message":"%s","stackTrace":"%s","mdc":{}}""".formatted(level, logger, message, stackTrace);
    }

    @Test
    void a_crash_is_told_from_a_kill() {
        var crash =
                "2026-11-26 09:09:25.428 UTC [1] LOG:  client backend (PID 2) was terminated by signal 11: Segmentation"
                        + " fault";
        var kill = "2026-11-26 09:09:25.428 UTC [1] LOG:  server process (PID 2) was terminated by signal 9: Killed";
        var memory = "Terminating due to java.lang.OutOfMemoryError: Java heap space";

        assertThat(LogScan.crashes(
                        List.of(crash, kill, "LOG:  database system is ready to accept connections", memory)))
                .containsExactly(crash, memory);
    }
}
