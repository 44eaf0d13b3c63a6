package dev.orderly.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.orderly.platform.config.Checkout;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Whatever a user's shell has set, {@code ./orderly} works, or says in one line what it does not take. */
@Tag("processes")
class LauncherEnvironmentTest {

    @TempDir
    Path folder;

    private record Result(int exitCode, String output) {}

    /** Environment, and the name of a state folder: as bash reads them, whatever this JVM's locale is. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "CDPATH=.:/tmp | state",
                "JAVA_TOOL_OPTIONS=-XX:+UseParallelGC | state",
                "JDK_JAVA_OPTIONS=-XX:+UseParallelGC | state",
                "JAVA_TOOL_OPTIONS=\"-Duser.language=fa -Duser.country=IR\" | state",
                "JAVA_TOOL_OPTIONS=\"-Duser.language=tr -Duser.country=TR\" | state",
                "TZ=Asia/Kathmandu http_proxy=http://127.0.0.1:1 | state",
                "LC_ALL=C | $'B\\303\\274cher'",
                "LC_ALL=C | \"it's 50% of #1, more or less\"",
            })
    void status_works(String environment, String name) throws Exception {
        var result = bash("export " + environment + "; \"$CHECKOUT/orderly\" status --data \"$S/\"" + name);

        assertThat(result.output).contains("nothing runs on " + folder);
        assertThat(result.exitCode).isEqualTo(1);
    }

    @Test
    void it_is_found_by_a_relative_name_though_CDPATH_has_the_same() throws Exception {
        Files.createDirectories(folder.resolve("a"));
        Path link = Files.createSymbolicLink(folder.resolve("a/main"), Checkout.path());

        var result = bash("cd \"$S/a\"; export CDPATH=.:$S; main/orderly --help");

        assertThat(result.output).startsWith("Usage: orderly");
        assertThat(result.exitCode).isZero();
        Files.delete(link); // JUnit warns of one that leads elsewhere
    }

    @Test
    void a_checkout_whose_name_java_would_split_is_refused_in_one_line() throws Exception {
        Path checkout = Files.createDirectories(folder.resolve("Doe, Jane"));
        Files.copy(Checkout.path().resolve("orderly"), checkout.resolve("orderly"));

        var result = bash("bash \"$S/Doe, Jane/orderly\" --help");

        assertThat(result.output.lines()).singleElement().asString().contains("has a comma or a colon in its name");
        assertThat(result.exitCode).isEqualTo(1);
    }

    /** The start of an image, without the image. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "''                            | MaxRAMPercentage=50.0 | UseSerialGC=true",
                "-XX:MaxRAMPercentage=75       | MaxRAMPercentage=75.0 | UseSerialGC=true",
                "-XX:+UseParallelGC -Dx=\"a b\" | MaxRAMPercentage=50.0 | UseParallelGC=true",
            })
    void in_an_image_flags_of_the_environment_win(String flags, String heap, String collector) throws Exception {
        var result = bash("export JDK_JAVA_OPTIONS='" + flags + "' PATH=\"" + System.getProperty("java.home")
                + "/bin:$PATH\"; cd \"$CHECKOUT/infra\"; bash containers/java.sh jvm/common.options jvm/jdk25.options"
                + " jvm/service-container.options -- -XX:+PrintFlagsFinal -version");

        assertThat(result.exitCode).as(result.output).isZero();
        assertThat(result.output
                        .lines()
                        .map(line -> line.strip().replaceFirst("^\\S+ +(\\S+) +=( +)(\\S+).*", "$1=$3")))
                .anyMatch(line -> line.startsWith(heap))
                .contains(collector);
    }

    private Result bash(String script) throws IOException, InterruptedException {
        var builder = new ProcessBuilder("bash", "-c", script).redirectErrorStream(true);
        builder.environment().put("CHECKOUT", Checkout.path().toString());
        builder.environment().put("S", folder.toString());
        builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
        builder.environment().put("ORDERLY_BUILD", "no");
        var process = builder.start();
        var output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        return new Result(process.exitValue(), output);
    }
}
