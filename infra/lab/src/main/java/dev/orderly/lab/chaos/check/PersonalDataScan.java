package dev.orderly.lab.chaos.check;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import dev.orderly.lab.chaos.workload.TestPerson;
import dev.orderly.testkit.RunningPlatform;
import java.io.IOException;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/** Looks for people in everything that the system has written down: logs, topics and tables. */
final class PersonalDataScan {

    /** The world outside: they have what was sent to them. */
    private static final Set<String> OUTSIDE = Set.of("simulators");

    private final RunningPlatform system;
    private final List<SystemSnapshot.Trace> found = new ArrayList<>();

    private PersonalDataScan(RunningPlatform system) {
        this.system = system;
    }

    /** Each person once for each place: "log of order-service", "topic order-service", "table orders.customer". */
    static List<SystemSnapshot.Trace> of(RunningPlatform system)
            throws IOException, SQLException, InterruptedException {
        var traces = new PersonalDataScan(system);
        traces.lookIntoLogs();
        traces.lookIntoTopics();
        for (String database : RunningPlatform.DATABASES) {
            traces.lookIntoTables(database);
        }
        return traces.found.stream().distinct().toList();
    }

    private void look(String place, String text) {
        TestPerson.in(text).forEach(person -> found.add(new SystemSnapshot.Trace(place, person)));
    }

    private void lookIntoLogs() throws IOException, InterruptedException {
        for (String part : system.logged()) {
            if (!OUTSIDE.contains(part)) {
                system.log(part).forEach(line -> look("log of " + part, line));
            }
        }
    }

    private void lookIntoTopics() {
        SystemSnapshot.readToTheEnd(
                system, topic -> !topic.startsWith("__"), record -> look("topic " + record.topic(), text(record)));
    }

    private static String text(ConsumerRecord<byte[], byte[]> record) {
        var headers = Stream.of(record.headers().toArray()).map(header -> header.value());
        return Stream.concat(Stream.of(record.key(), record.value()), headers)
                .map(bytes -> bytes == null ? "" : new String(bytes, ISO_8859_1))
                .collect(Collectors.joining("\n"));
    }

    private void lookIntoTables(String database) throws SQLException {
        try (var connection = system.connect(database);
                var statement = connection.createStatement()) {
            var tables = new ArrayList<String>();
            try (var rows = statement.executeQuery(
                    "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace")) {
                while (rows.next()) {
                    tables.add(rows.getString(1));
                }
            }
            for (String table : tables) {
                // Of a partition what matters is what it is a part of.
                String place = "table " + database + '.' + table.replaceFirst("_(\\d{8}|default)$", "");
                try (var rows = statement.executeQuery(
                        "SELECT t::text FROM \"%s\" t WHERE t::text ~ '%s'".formatted(table, TestPerson.ANYBODY))) {
                    while (rows.next()) {
                        look(place, rows.getString(1));
                    }
                }
            }
        }
    }
}
