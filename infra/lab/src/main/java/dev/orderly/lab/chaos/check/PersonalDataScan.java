package dev.orderly.lab.chaos.check;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import dev.orderly.lab.chaos.check.SystemSnapshot.PersonalDataFinding;
import dev.orderly.lab.chaos.fault.Sql;
import dev.orderly.lab.chaos.workload.TestPerson;
import dev.orderly.testkit.RunningPlatform;
import java.io.IOException;
import java.sql.SQLException;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/** Searches everything that the system stores for personal data: logs, topics and tables. */
final class PersonalDataScan {

    /** They have what was sent to the world outside. */
    private static final String SIMULATORS = "simulators";

    private final RunningPlatform system;
    private final Set<PersonalDataFinding> found = new LinkedHashSet<>();

    private PersonalDataScan(RunningPlatform system) {
        this.system = system;
    }

    static List<PersonalDataFinding> of(RunningPlatform system) throws IOException, SQLException, InterruptedException {
        var scan = new PersonalDataScan(system);
        scan.logs();
        TopicReader.readToEnd(
                system, topic -> !topic.startsWith("__"), record -> scan.add("topic " + record.topic(), text(record)));
        for (String database : RunningPlatform.DATABASES) {
            scan.tables(database);
        }
        return List.copyOf(scan.found);
    }

    private void add(String place, String text) {
        TestPerson.in(text).forEach(person -> found.add(new PersonalDataFinding(place, person)));
    }

    private void logs() throws IOException, InterruptedException {
        for (String process : system.logged()) {
            if (!process.equals(SIMULATORS)) {
                system.log(process).forEach(line -> add("log of " + process, line));
            }
        }
    }

    private static String text(ConsumerRecord<byte[], byte[]> record) {
        var headers = Stream.of(record.headers().toArray()).map(header -> header.value());
        return Stream.concat(Stream.of(record.key(), record.value()), headers)
                .map(bytes -> bytes == null ? "" : new String(bytes, ISO_8859_1))
                .collect(Collectors.joining("\n"));
    }

    private void tables(String database) throws SQLException {
        var tables = Sql.column(
                system,
                database,
                "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace");
        for (String table : tables) {
            // The place is the table that a partition belongs to.
            String place = "table " + database + '.' + table.replaceFirst("_(\\d{8}|default)$", "");
            String rows = "SELECT t::text FROM \"%s\" t WHERE t::text ~ '%s'".formatted(table, TestPerson.ANY);
            Sql.column(system, database, rows).forEach(row -> add(place, row));
        }
    }
}
