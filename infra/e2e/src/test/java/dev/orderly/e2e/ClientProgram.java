package dev.orderly.e2e;

import dev.orderly.platform.config.Secrets;
import dev.orderly.platform.kafka.KafkaLogin;
import dev.orderly.testkit.RunningPlatform;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.KafkaConsumer;

/**
 * A program of {@code docs/clients}. What it has done is in a database of its own.
 *
 * @param group null of one that is in none
 * @param missing why it cannot run on this machine, or null
 * @param started all of its processes, the newest last
 */
record ClientProgram(
        String name,
        String group,
        boolean logsIn,
        List<String> command,
        String missing,
        Path folder,
        List<Process> started) {

    private static final Path PROGRAMS = Path.of(System.getProperty("orderly.checkout"), "docs/clients");
    /** Debian's, which sees Debian's libraries. */
    private static final String PYTHON = "/usr/bin/python3";

    /** @param folder for databases and logs */
    static List<ClientProgram> all(Path folder) throws ClassNotFoundException {
        var jars = String.join(
                ":", jar(KafkaConsumer.class.getName()), jar("org.slf4j.LoggerFactory"), jar("org.sqlite.JDBC"));
        return List.of(
                of("kafka-python", whenPythonHas("kafka"), folder, PYTHON, PROGRAMS + "/order_reader_kafka.py"),
                confluentKafka(folder),
                kafkajs(folder),
                of(
                        "java",
                        null,
                        folder,
                        System.getProperty("java.home") + "/bin/java",
                        "--enable-native-access=ALL-UNNAMED",
                        "-cp",
                        jars,
                        PROGRAMS + "/OrderReader.java"),
                kcat(folder));
    }

    /** Those that also read Avro. */
    static List<ClientProgram> ofAvro(Path folder) {
        return List.of(confluentKafka(folder), kafkajs(folder));
    }

    /** Debian's librdkafka cannot log in, see README.md there: it is in a group for those without a login. */
    private static ClientProgram confluentKafka(Path folder) {
        var missing = whenPythonHas("confluent_kafka, avro");
        var command = List.of(
                PYTHON,
                PROGRAMS + "/order_reader_confluent.py",
                "plain-confluent-kafka",
                folder.resolve("confluent-kafka.db").toString());
        return new ClientProgram(
                "confluent-kafka", "plain-confluent-kafka", false, command, missing, folder, new ArrayList<>());
    }

    private static ClientProgram kafkajs(Path folder) {
        var installed = Program.succeeds("node", "-e", "process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)")
                && Files.exists(PROGRAMS.resolve("node/node_modules"));
        var missing = "there is no Node 20 or newer, or 'npm ci' has not been run in docs/clients/node";
        return of("kafkajs", installed ? null : missing, folder, "node", PROGRAMS + "/node/order-reader.js");
    }

    private static ClientProgram kcat(Path folder) {
        var installed = Program.succeeds("kcat", "-V") && Program.succeeds("sqlite3", "-version");
        return new ClientProgram(
                "kcat",
                null,
                false,
                List.of(PROGRAMS + "/order-reader.sh", folder.resolve("kcat.db").toString()),
                installed ? null : "Debian's package kcat or sqlite3 is not installed",
                folder,
                new ArrayList<>());
    }

    private static String whenPythonHas(String module) {
        return Program.succeeds(PYTHON, "-c", "import " + module)
                ? null
                : "there is no Python, or not Debian's package with its module " + module;
    }

    private static ClientProgram of(String name, String missing, Path folder, String... program) {
        var command = new ArrayList<>(List.of(program));
        var group = "reader-" + name;
        command.addAll(List.of(group, folder.resolve(name + ".db").toString()));
        return new ClientProgram(name, group, true, command, missing, folder, new ArrayList<>());
    }

    private static String jar(String type) throws ClassNotFoundException {
        return Class.forName(type)
                .getProtectionDomain()
                .getCodeSource()
                .getLocation()
                .getPath();
    }

    void start(RunningPlatform platform, Map<String, String> environment) throws IOException {
        var program = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(printed().toFile()));
        var login = new KafkaLogin(KafkaLogin.READER, platform.secret(Secrets.ofKafkaUser(KafkaLogin.READER)));
        program.environment()
                .putAll(
                        logsIn
                                ? login.environment(platform.bootstrapServers(), platform.certificates())
                                : Map.of("KAFKA_BOOTSTRAP_SERVERS", platform.openBootstrapServers()));
        program.environment().putAll(environment);
        program.environment().put("TMPDIR", folder.toString());
        started.add(program.start());
    }

    Process process() {
        return started.getLast();
    }

    void kill() throws InterruptedException {
        for (var process : started) {
            process.destroyForcibly().waitFor();
        }
    }

    Path printed() {
        return folder.resolve(name + ".log");
    }

    /** What a query of two columns returns. */
    Map<String, String> query(String sql) throws SQLException {
        try (var db = DriverManager.getConnection("jdbc:sqlite:" + folder.resolve(name + ".db"));
                var statement = db.createStatement();
                var rows = statement.executeQuery(sql)) {
            var found = new HashMap<String, String>();
            while (rows.next()) {
                found.put(rows.getString(1), rows.getString(2));
            }
            return found;
        }
    }

    @Override
    public String toString() {
        return name;
    }
}
