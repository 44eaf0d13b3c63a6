package dev.orderly.repository;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.source.tree.CompilationUnitTree;
import com.sun.source.tree.LineMap;
import com.sun.source.tree.MethodTree;
import com.sun.source.util.JavacTask;
import com.sun.source.util.SourcePositions;
import com.sun.source.util.TreePathScanner;
import com.sun.source.util.Trees;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;

/** The limits of {@code docs/STYLE.md}, and the words that {@code docs/glossary.md} forbids. */
class StyleTest {
    private static final int MAX_METHOD_LINES = 70;
    private static final int MAX_FILE_LINES = 400;
    private static final int MAX_COLUMNS = 120;
    private static final int MAX_COMMENT_COLUMNS = 110;

    private static final Pattern COMMENT = Pattern.compile("^\\s*(//|/?\\*)");
    private static final Pattern FORBIDDEN_ROW = Pattern.compile("^\\| *((?:`[^`]+`(?:, )?)+) *\\|");

    private final List<Path> sources = Repository.files(".java");

    @Test
    void a_line_has_at_most_120_columns_and_a_comment_110() {
        var tooLong = new ArrayList<String>();
        for (var file : sources) {
            var lines = Repository.lines(file);
            for (int i = 0; i < lines.size(); i++) {
                var max = COMMENT.matcher(lines.get(i)).find() ? MAX_COMMENT_COLUMNS : MAX_COLUMNS;
                if (lines.get(i).length() > max) {
                    tooLong.add(
                            Repository.place(file, i + 1) + " " + lines.get(i).length() + " columns");
                }
            }
        }
        assertThat(tooLong).isEmpty();
    }

    @Test
    void a_file_has_at_most_400_lines() {
        assertThat(sources)
                .filteredOn(file -> Repository.lines(file).size() > MAX_FILE_LINES)
                .isEmpty();
    }

    @Test
    void a_method_has_at_most_70_lines() throws IOException {
        assertThat(longMethods()).isEmpty();
    }

    @Test
    void no_class_outside_of_tests_is_named_like_a_test() {
        assertThat(sources)
                .filteredOn(file -> file.toString().contains("/src/main/"))
                .noneMatch(file -> file.toString().endsWith("Test.java"));
    }

    @Test
    void words_that_hide_a_term_of_the_field_do_not_occur() {
        var forbidden = forbiddenWords();
        assertThat(forbidden).as("the table of the glossary").hasSizeGreaterThan(20);
        var words = Pattern.compile(
                "(?<![A-Za-z-])(" + String.join("|", forbidden) + ")(?![A-Za-z-])", Pattern.CASE_INSENSITIVE);
        var found = new ArrayList<String>();
        for (var ending : List.of(".java", ".sql", ".properties", ".yml", ".sh")) {
            for (var file : Repository.files(ending)) {
                var lines = Repository.lines(file);
                for (int i = 0; i < lines.size(); i++) {
                    var place = Repository.place(file, i + 1);
                    words.matcher(lines.get(i))
                            .results()
                            .map(MatchResult::group)
                            .forEach(word -> found.add(place + " " + word));
                }
            }
        }
        assertThat(found).isEmpty();
    }

    private static List<String> forbiddenWords() {
        var words = new ArrayList<String>();
        for (var line : Repository.lines(Repository.ROOT.resolve("docs/glossary.md"))) {
            var row = FORBIDDEN_ROW.matcher(line);
            if (row.find()) {
                for (var cell : row.group(1).split(", ")) {
                    words.add(cell.strip().replace("`", ""));
                }
            }
        }
        return words;
    }

    private List<String> longMethods() throws IOException {
        var compiler = ToolProvider.getSystemJavaCompiler();
        try (var files = compiler.getStandardFileManager(null, null, null)) {
            var task = (JavacTask) compiler.getTask(
                    null, files, null, List.of("-proc:none"), null, files.getJavaFileObjectsFromPaths(sources));
            var found = new ArrayList<String>();
            var positions = Trees.instance(task).getSourcePositions();
            for (var unit : task.parse()) {
                new Methods(unit, positions, found).scan(unit, null);
            }
            return found;
        }
    }

    private static final class Methods extends TreePathScanner<Void, Void> {
        private final CompilationUnitTree unit;
        private final LineMap lines;
        private final SourcePositions positions;
        private final List<String> tooLong;

        Methods(CompilationUnitTree unit, SourcePositions positions, List<String> tooLong) {
            this.unit = unit;
            this.lines = unit.getLineMap();
            this.positions = positions;
            this.tooLong = tooLong;
        }

        @Override
        public Void visitMethod(MethodTree method, Void none) {
            var first = lines.getLineNumber(positions.getStartPosition(unit, method));
            var last = lines.getLineNumber(positions.getEndPosition(unit, method));
            if (last - first + 1 > MAX_METHOD_LINES) {
                var file = Path.of(unit.getSourceFile().toUri());
                tooLong.add(
                        Repository.place(file, first) + " " + method.getName() + ": " + (last - first + 1) + " lines");
            }
            return super.visitMethod(method, none);
        }
    }
}
