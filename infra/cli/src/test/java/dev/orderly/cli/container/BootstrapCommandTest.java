package dev.orderly.cli.container;

import static org.assertj.core.api.Assertions.assertThat;

import dev.orderly.cli.Main;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class BootstrapCommandTest {
    /** Those of the boot and platform loaders: a JRE's (OpenJDK's make/Images.gmk, JRE_MODULES). */
    private static final String MODULES_OF_A_JRE =
            "java.se,jdk.httpserver,jdk.jfr,jdk.management,jdk.naming.dns,jdk.net,jdk.security.auth,jdk.unsupported,"
                    + "jdk.zipfs";

    /** Its image holds no JDK, and fault injection, of which its command line knows, needs one. */
    @Test
    void a_command_in_containers_needs_no_more_than_a_jre() throws Exception {
        var process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "--limit-modules=" + MODULES_OF_A_JRE,
                        "-cp",
                        System.getProperty("java.class.path"),
                        Main.class.getName(),
                        "bootstrap",
                        "--help")
                .redirectErrorStream(true)
                .start();

        assertThat(process.inputReader().lines()).anyMatch(line -> line.contains("--ready-file"));
        assertThat(process.waitFor()).isZero();
    }
}
