package dev.orderly.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;
import static org.awaitility.Awaitility.await;

import dev.orderly.platform.config.Checkout;
import dev.orderly.platform.process.ProcessStatus;
import dev.orderly.testkit.RunningPlatform;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** On a volume of its own, which only root can make, on Linux; skipped elsewhere. */
@Tag("processes")
class FullDiskTest {
    private static final Duration MAX_WAIT = Duration.ofSeconds(60);
    private static final long VOLUME_BYTES = 1800L << 20;

    @TempDir
    Path folder;

    private Path volume;

    @BeforeEach
    void makeVolume() throws Exception {
        assumeThat(System.getProperty("user.name")).isEqualTo("root");
        Path image = folder.resolve("image");
        try (var file = new RandomAccessFile(image.toFile(), "rw")) {
            file.setLength(VOLUME_BYTES); // sparse
        }
        volume = Files.createDirectory(folder.resolve("volume"));
        assumeThat(run("mkfs.ext4", "-q", image.toString())
                        && run("mount", "-o", "loop", image.toString(), volume.toString()))
                .as("a loop device can be made")
                .isTrue();
    }

    @AfterEach
    void unmount() throws Exception {
        if (volume != null) {
            run("umount", "--lazy", volume.toString());
        }
    }

    @Test
    void topics_outlive_a_full_disk_and_everything_goes_on_when_there_is_space() throws Exception {
        var data = volume.resolve("state");
        try (var platform = new RunningPlatform(
                data, Map.of(), "platform", "--brokers=1", "--free-ports", "--no-connect", "--no-simulators")) {
            platform.start();
            platform.admin()
                    .createTopics(List.of(new NewTopic("mine", 1, (short) 1)))
                    .all()
                    .get();

            fill(volume.resolve("fill"));
            // If they have not ended by themselves. PostgreSQL is restarted, and recovers when it can.
            platform.kill("kafka-1");
            platform.kill("postgres");

            // The status file may not be writable either; then the process is known to be gone.
            await().atMost(MAX_WAIT)
                    .untilAsserted(() ->
                            assertThat(status(data)).containsPattern("kafka-1 +(waiting for disk space|stopped) "));

            Files.delete(volume.resolve("fill"));

            await().atMost(MAX_WAIT)
                    .until(() -> platform.part("kafka-1").restarts() > 0
                            && platform.parts().stream().allMatch(ProcessStatus::isReady));
            assertThat(platform.part("kafka-1").restarts())
                    .as("starts on the full disk")
                    .isEqualTo(1);
            try (var producer =
                    new KafkaProducer<>(platform.kafka(Map.of()), new StringSerializer(), new StringSerializer())) {
                assertThat(platform.admin().listTopics().names().get()).containsAll(Set.of("mine", "order-service"));
                assertThat(producer.send(new ProducerRecord<>("mine", "goes on"))
                                .get()
                                .offset())
                        .isZero();
            }
            assertThat(data.resolve("run")).isDirectoryNotContaining("glob:**.new");
        }
    }

    /** By the classes under test: this module is not packaged yet. */
    private static String status(Path data) throws IOException {
        return new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Dorderly.checkout=" + Checkout.path(),
                        "-cp",
                        System.getProperty("java.class.path"),
                        Main.class.getName(),
                        "status",
                        "--data=" + data)
                .redirectErrorStream(true)
                .start()
                .inputReader()
                .lines()
                .collect(Collectors.joining("\n"));
    }

    /** To the last byte: what is reserved for root as well. */
    private static void fill(Path file) throws Exception {
        run("fallocate", "-l", String.valueOf(file.getParent().toFile().getUsableSpace()), file.toString());
        try (var out = Files.newOutputStream(file, StandardOpenOption.CREATE, StandardOpenOption.APPEND)) {
            while (true) {
                out.write(new byte[4096]);
            }
        } catch (IOException _) {
            return; // full
        }
    }

    private static boolean run(String... command) throws IOException, InterruptedException {
        var process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start();
        return process.waitFor(30, TimeUnit.SECONDS) && process.exitValue() == 0;
    }
}
