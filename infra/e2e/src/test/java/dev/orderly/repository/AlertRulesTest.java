package dev.orderly.repository;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Alerts fire when they should and only then, say how urgent they are, and lead to a page on what to do. */
class AlertRulesTest {
    private static final Path FOLDER = Repository.ROOT.resolve("infra/observability");
    private static final String RUNBOOK = "docs/reference/alerts.md";
    private static final Pattern ALERT =
            Pattern.compile("- alert: (\\w+)\\n(.*?)(?=\\n      (?:- |#)|\\n\\n|\\Z)", Pattern.DOTALL);
    private static final Pattern CHECK = Pattern.compile("alertname: (\\w+)\\n +exp_alerts:( \\[\\])?", Pattern.DOTALL);

    private final List<Path> rules = files("rules/");
    private final List<Path> tests = files("tests/");

    private static List<Path> files(String folder) {
        return Repository.files(".yml").stream()
                .filter(file -> file.startsWith(FOLDER.resolve(folder)))
                .toList();
    }

    @Test
    void promtool_accepts_rules_and_settings_and_passes_their_tests() throws Exception {
        assumeTrue(isInstalled("promtool"), "promtool is not installed (Debian's package prometheus has it)");
        promtool("check", "config", FOLDER.resolve("prometheus.yml").toString());
        // It names files by their places in the container.
        var inContainers = FOLDER.resolve("containers/prometheus.yml").toString();
        promtool("check", "config", "--syntax-only", inContainers);
        promtool(arguments(Stream.of("check", "rules"), rules));
        promtool(arguments(Stream.of("test", "rules"), tests));
    }

    @Test
    void amtool_accepts_who_is_called(@TempDir Path folder) throws Exception {
        assumeTrue(isInstalled("amtool"), "amtool is not installed (Debian's package prometheus-alertmanager has it)");
        Files.copy(FOLDER.resolve("mail.tmpl"), folder.resolve("mail.tmpl"));
        Files.writeString(folder.resolve("alerts.token"), "token");
        for (var file : List.of("alertmanager.yml", "containers/alertmanager.yml")) {
            var settings = Repository.text(FOLDER.resolve(file))
                    .replaceAll("\\$\\{\\w+\\.port}", "1025")
                    .replace("/orderly/observability/", "");
            run(
                    "amtool",
                    "check-config",
                    Files.writeString(folder.resolve("alertmanager.yml"), settings)
                            .toString());
        }
    }

    @Test
    void an_alert_holds_back_the_same_others_in_containers_and_labels_are_those_of_the_metrics() {
        var here = inhibitions("alertmanager.yml");

        assertThat(inhibitions("containers/alertmanager.yml")).isEqualTo(here);
        var welcomeMails = "channel = \"welcome-mail\"";
        assertThat(here).contains(welcomeMails);
        assertThat(Repository.text(Repository.ROOT.resolve(
                        "notification-service/src/main/java/dev/orderly/notification/Notifications.java")))
                .contains("SELECT 'welcome-mail'");
    }

    private static String inhibitions(String file) {
        var settings = Repository.text(FOLDER.resolve(file));
        return settings.substring(settings.indexOf("inhibit_rules:"), settings.indexOf("receivers:"))
                .replaceAll("(?m)^ *#.*\\R", "");
    }

    private static String[] arguments(Stream<String> command, List<Path> files) {
        return Stream.concat(command, files.stream().map(Path::toString)).toArray(String[]::new);
    }

    private static void promtool(String... arguments) throws IOException, InterruptedException {
        run(Stream.concat(Stream.of("promtool"), Stream.of(arguments)).toArray(String[]::new));
    }

    private static void run(String... command) throws IOException, InterruptedException {
        var process = new ProcessBuilder(command).redirectErrorStream(true).start();
        var output = new String(process.getInputStream().readAllBytes());
        assertThat(process.waitFor()).as(output).isZero();
    }

    private static boolean isInstalled(String program) throws InterruptedException {
        try {
            var process = new ProcessBuilder(program, "--version")
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start();
            return process.waitFor(30, TimeUnit.SECONDS);
        } catch (IOException _) {
            return false;
        }
    }

    @Test
    void every_alert_has_a_test_that_it_fires_and_one_that_it_does_not() {
        var fire = new TreeSet<String>();
        var stayQuiet = new TreeSet<String>();
        tests.stream()
                .flatMap(file -> CHECK.matcher(Repository.text(file)).results())
                .forEach(check -> (check.group(2) == null ? fire : stayQuiet).add(check.group(1)));

        assertThat(fire).isEqualTo(alerts());
        assertThat(stayQuiet).isEqualTo(alerts());
    }

    @Test
    void every_alert_says_how_urgent_it_is_and_leads_to_its_page() {
        var headings = Repository.lines(Repository.ROOT.resolve(RUNBOOK)).stream()
                .filter(line -> line.startsWith("### "))
                .map(line -> line.substring(4))
                .collect(Collectors.toCollection(TreeSet::new));

        assertThat(headings).isEqualTo(alerts());
        rules.stream()
                .flatMap(file -> ALERT.matcher(Repository.text(file)).results())
                .forEach(alert -> assertThat(alert.group(2))
                        .as(alert.group(1))
                        .containsPattern("severity: (critical|warning|info)\\}")
                        .contains(
                                "runbook_url: " + RUNBOOK + "#" + alert.group(1).toLowerCase(Locale.ROOT)));
    }

    private Set<String> alerts() {
        return rules.stream()
                .flatMap(file -> ALERT.matcher(Repository.text(file)).results())
                .map(alert -> alert.group(1))
                .collect(Collectors.toCollection(TreeSet::new));
    }
}
