package dev.orderly.repository;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * No file that Git tracks holds a secret: nothing in the form of a known kind of key, and nothing random
 * under a name that says it is one. A scanner such as gitleaks knows more kinds, and reads the history; this
 * runs wherever the tests do.
 */
class SecretsTest {
    /** Bits per character: texts are below it, random letters and digits above. */
    private static final double MIN_ENTROPY = 3.5;

    private static final Map<String, Pattern> KINDS = Map.of(
            "private key", Pattern.compile("-----BEGIN [A-Z ]*PRIVATE KEY-----"),
            "AWS key", Pattern.compile("\\b(AKIA|ASIA)[A-Z0-9]{16}\\b"),
            "GitHub token", Pattern.compile("\\b(gh[pousr]_\\w{36}|github_pat_\\w{20})"),
            "GitLab token", Pattern.compile("\\bglpat-[\\w-]{20}"),
            "Slack token", Pattern.compile("\\bxox[abprs]-[\\w-]{10}"),
            "Google key", Pattern.compile("\\bAIza[\\w-]{35}"),
            "npm token", Pattern.compile("\\bnpm_\\w{36}"),
            "Stripe key", Pattern.compile("\\b[sr]k_live_\\w{16}"),
            "JSON Web Token", Pattern.compile("\\beyJ[\\w-]{10,}\\.eyJ[\\w-]{10,}\\.[\\w-]{10,}"),
            "password in a URL", Pattern.compile("\\w://[^/\\s:@$<{\"]+:[^/\\s:@$<{\"]+@(?!\\S*example)"));

    private static final Pattern ASSIGNED =
            Pattern.compile("(?i)(password|passwd|secret|token|api[_.-]?key|private[_.-]?key)\\w*[\"']?\\s*[=:,]\\s*"
                    + "[\"']?([\\w+/=]{20,})");

    @Test
    void no_tracked_file_holds_a_secret() throws IOException, InterruptedException {
        var found = new ArrayList<String>();
        for (var file : trackedFiles()) {
            var lines = Files.readString(file, ISO_8859_1).lines().toList();
            for (int i = 0; i < lines.size(); i++) {
                var place = Repository.place(file, i + 1);
                kindsIn(lines.get(i)).forEach(kind -> found.add(place + " " + kind));
            }
        }
        assertThat(found).isEmpty();
    }

    /** In halves, or this file would hold them. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "-----BEGIN RSA |PRIVATE KEY-----",
                "aws: AKIA|QX7Z2MPLKJH5TREW",
                "curl -H 'Authorization: token ghp|_16C7e42F292c6912E7710c838347Ae178B4a'",
                "postgres|://orders:hunter2@db.internal/orders",
                "DB_APP_PASSWORD=|9f86d081884c7d659a2feaa0c55ad015",
                "\"apiKey\": |\"Zm9vYmFyMTIzNDU2Nzg5MGFiY2RlZg==\"",
                "Bearer eyJhbGciOiJSUzI1NiJ9|.eyJzdWIiOiJhbm4iLCJpYXQiOjF9.c2lnbmF0dXJlLWhlcmU"
            })
    void a_secret_would_be_found(String halves) {
        assertThat(kindsIn(halves)).isEmpty();
        assertThat(kindsIn(halves.replace("|", ""))).isNotEmpty();
    }

    private static List<String> kindsIn(String line) {
        var kinds = Stream.concat(
                KINDS.entrySet().stream()
                        .filter(kind -> kind.getValue().matcher(line).find())
                        .map(Map.Entry::getKey),
                ASSIGNED.matcher(line)
                        .results()
                        .filter(assignment -> isRandom(assignment.group(2)))
                        .map(assignment -> "random " + assignment.group(1)));
        return kinds.toList();
    }

    private static boolean isRandom(String text) {
        return text.chars().filter(Character::isDigit).count() > 2 && entropy(text) > MIN_ENTROPY;
    }

    private static double entropy(String text) {
        return text.chars().boxed().collect(Collectors.groupingBy(c -> c, Collectors.counting())).values().stream()
                .mapToDouble(count -> (double) count / text.length())
                .map(share -> -share * Math.log(share) / Math.log(2))
                .sum();
    }

    /** What else lies in the checkout, such as an {@code .env}, may hold some. */
    private static List<Path> trackedFiles() throws IOException, InterruptedException {
        assumeTrue(Files.exists(Repository.ROOT.resolve(".git")), "skipped: not a clone");
        var git = new ProcessBuilder("git", "ls-files", "-z")
                .directory(Repository.ROOT.toFile())
                .start();
        var names = new String(git.getInputStream().readAllBytes(), UTF_8).split("\0");
        assertThat(git.waitFor()).isZero();
        return Stream.of(names)
                .map(Repository.ROOT::resolve)
                .filter(Files::isRegularFile)
                .toList();
    }
}
