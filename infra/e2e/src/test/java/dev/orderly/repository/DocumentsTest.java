package dev.orderly.repository;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** What documents say of the sources is so: links lead somewhere, and the code in the guide is the code. */
class DocumentsTest {
    private static final int MAX_README_LINES = 120;
    private static final Pattern LINK = Pattern.compile("\\]\\(([^)\\s]+)\\)");
    private static final Pattern FENCE = Pattern.compile("```.*?```", Pattern.DOTALL);
    private static final Pattern HEADING = Pattern.compile("^#+ (.*)$", Pattern.MULTILINE);
    private static final Pattern TEST = Pattern.compile("`(\\w+Test)`");
    /** A fence that says which file it is from: {@code ```java OrderBatcher.java}. */
    private static final Pattern EXCERPT = Pattern.compile("```(java|sql|json) ([\\w.-]+)\\n(.*?)```", Pattern.DOTALL);

    private static final Path GUIDE = Repository.ROOT.resolve("docs/follow-an-order.md");
    private static final Path STYLE = Repository.ROOT.resolve("docs/STYLE.md");
    private static final int MAX_EXCERPT_LINES = 12;
    private static final int STOPS = 12;

    private final List<Path> documents = Repository.files(".md");

    @Test
    void every_link_leads_to_a_file_and_a_heading_of_it() {
        var dead = new ArrayList<String>();
        for (var document : documents) {
            // Links may be broken over two lines.
            var text = FENCE.matcher(Repository.text(document)).replaceAll("").replaceAll("\\s+", " ");
            LINK.matcher(text)
                    .results()
                    .map(link -> link.group(1))
                    .filter(link -> !link.startsWith("http"))
                    .filter(link -> !leadsSomewhere(document, link))
                    .forEach(link -> dead.add(Repository.ROOT.relativize(document) + " -> " + link));
        }
        assertThat(dead).isEmpty();
    }

    private static boolean leadsSomewhere(Path document, String link) {
        var hash = link.indexOf('#');
        var path = hash < 0 ? link : link.substring(0, hash);
        var file = path.isEmpty() ? document : document.resolveSibling(path);
        return Files.exists(file) && (hash < 0 || anchors(file).contains(link.substring(hash + 1)));
    }

    /** As hosts of repositories make them of headings. */
    private static Set<String> anchors(Path file) {
        return HEADING.matcher(FENCE.matcher(Repository.text(file)).replaceAll(""))
                .results()
                .map(heading -> heading.group(1)
                        .replaceAll("\\[([^\\]]*)\\]\\([^)]*\\)", "$1")
                        .toLowerCase(Locale.ROOT)
                        .replaceAll("[^\\p{L}\\p{N} _-]", "")
                        .strip()
                        .replace(' ', '-'))
                .collect(Collectors.toSet());
    }

    @Test
    void every_test_that_a_document_names_exists() {
        var tests = Repository.files("Test.java").stream()
                .map(file -> file.getFileName().toString())
                .collect(Collectors.toSet());
        assertThat(documents.stream()
                        .flatMap(document ->
                                TEST.matcher(Repository.text(document)).results())
                        .map(name -> name.group(1) + ".java"))
                .isSubsetOf(tests);
    }

    @Test
    void the_readme_is_read_in_one_go() {
        assertThat(Repository.lines(Repository.ROOT.resolve("README.md"))).hasSizeLessThanOrEqualTo(MAX_README_LINES);
    }

    @Test
    void the_code_in_documents_is_the_code() {
        assertThat(excerpts(GUIDE)).hasSizeGreaterThanOrEqualTo(STOPS - 1).allSatisfy(DocumentsTest::assertIsCode);
        assertThat(excerpts(STYLE)).isNotEmpty().allSatisfy(DocumentsTest::assertIsCode);
    }

    private static List<MatchResult> excerpts(Path document) {
        return EXCERPT.matcher(Repository.text(document)).results().toList();
    }

    /** Each of its lines is in the file, in this order; {@code …} stands for lines that are left out. */
    private static void assertIsCode(MatchResult excerpt) {
        var name = excerpt.group(2);
        var files = Repository.files("/" + name);
        assertThat(files).as("files of the name " + name).hasSize(1);
        var lines = excerpt.group(3).lines().map(String::strip).toList();
        assertThat(lines).as("the excerpt of " + name).hasSizeBetween(1, MAX_EXCERPT_LINES);
        var source =
                Repository.lines(files.getFirst()).stream().map(String::strip).toList();
        int at = 0;
        boolean gap = true;
        for (var line : lines) {
            if (line.equals("…")) {
                gap = true;
                continue;
            }
            var found = source.subList(at, source.size()).indexOf(line);
            assertThat(found)
                    .as("'%s' in %s, after its line %d", line, name, at)
                    .isNotNegative();
            if (!gap) {
                assertThat(found)
                        .as("lines left out of %s before '%s' without a …", name, line)
                        .isZero();
            }
            at += found + 1;
            gap = false;
        }
    }
}
