package dev.orderly.lab.scenario;

import static java.util.stream.Collectors.joining;

import com.github.difflib.patch.PatchFailedException;
import com.github.difflib.unifieddiff.UnifiedDiffReader;
import dev.orderly.platform.config.Checkout;
import dev.orderly.platform.config.CommandFailedException;
import java.io.File;
import java.io.IOException;
import java.io.StringWriter;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import javax.tools.ToolProvider;

/**
 * The services as they are after the change that is in {@code evolution/version-2.patch}, a diff against this
 * repository. Only the events change: a service keeps its jar, and gets another {@code shared-events.jar}. So
 * the two versions are two programs, as in a rollout, not a switch in one.
 */
final class NextVersion {
    private static final String PATCH = "/evolution/version-2.patch";
    private static final Path SOURCES = Path.of("shared-events/src/main");
    private static final Path SCHEMAS = Path.of("schemas");
    private static final Path JARS = Path.of("quarkus-app/lib/main");
    private static final Path STARTED_JAR = Path.of("quarkus-app/quarkus-run.jar");
    private static final String EVENTS_JAR = "dev.orderly.shared-events-";

    private final Path folder;
    private final Path classes;

    /** @param folder for all that is built */
    NextVersion(Path folder) {
        this.folder = folder;
        this.classes = folder.resolve("classes");
    }

    /**
     * Builds what the patch changes, and returns the names of those files.
     *
     * @param classPath of the sources as they are
     */
    List<String> build(String classPath) throws IOException {
        copy(Checkout.path().resolve(SOURCES), folder.resolve(SOURCES));
        var schemas = folder.resolve(SOURCES).resolve("resources").resolve(SCHEMAS);
        copy(schemas.resolve("v1"), schemas.resolve("v2")); // as each release of schemas begins
        var changed = patch();
        copy(schemas.resolve("v2"), classes.resolve(SCHEMAS).resolve("v2"));
        compile(
                changed.stream()
                        .filter(file -> file.toString().endsWith(".java"))
                        .toList(),
                classPath);
        return changed.stream().map(file -> file.getFileName().toString()).toList();
    }

    private static void copy(Path from, Path to) throws IOException {
        try (var files = Files.walk(from)) {
            for (var file : files.filter(Files::isRegularFile).toList()) {
                var copy = to.resolve(from.relativize(file).toString()); // maybe in another file system
                Files.createDirectories(copy.getParent());
                Files.copy(file, copy, StandardCopyOption.REPLACE_EXISTING);
            }
        }
    }

    private List<Path> patch() throws IOException {
        var changed = new ArrayList<Path>();
        try (var patch = NextVersion.class.getResourceAsStream(PATCH)) {
            for (var file : UnifiedDiffReader.parseUnifiedDiff(patch).getFiles()) {
                var source = folder.resolve(file.getFromFile());
                // Not only in the very line: what stands above may have grown.
                Files.write(source, file.getPatch().applyFuzzy(Files.readAllLines(source), 0));
                changed.add(source);
            }
        } catch (PatchFailedException e) {
            throw new CommandFailedException(
                    PATCH + " no longer fits the sources; make it again, by git diff: " + e.getMessage(), e);
        }
        return changed;
    }

    private void compile(List<Path> sources, String classPath) throws IOException {
        var compiler = ToolProvider.getSystemJavaCompiler();
        var messages = new StringWriter();
        try (var files = compiler.getStandardFileManager(null, null, null)) {
            var options = List.of("-d", classes.toString(), "-cp", classPath, "-proc:none", "-parameters");
            var units = files.getJavaFileObjectsFromPaths(sources);
            if (!compiler.getTask(messages, files, null, options, null, units).call()) {
                throw new CommandFailedException("what " + PATCH + " makes does not compile: "
                        + messages.toString().lines().findFirst().orElse(""));
            }
        }
    }

    /** What was built. */
    Path classes() {
        return classes;
    }

    /** What a service was built with. */
    static String classPath(String service) throws IOException {
        try (var jars = Files.list(built(service).resolve(JARS))) {
            return jars.map(Path::toString).collect(joining(File.pathSeparator));
        }
    }

    /**
     * Makes a service that has what was built in place of what it was built with. Returns its target folder.
     */
    Path service(String name) throws IOException {
        var built = built(name);
        var target = folder.resolve(name);
        try (var files = Files.walk(built.resolve("quarkus-app"))) {
            for (var file : files.filter(Files::isRegularFile).toList()) {
                var inner = built.relativize(file);
                var copy = target.resolve(inner);
                Files.createDirectories(copy.getParent());
                if (inner.getFileName().toString().startsWith(EVENTS_JAR)) {
                    Files.copy(file, copy);
                    replaceIn(copy);
                } else if (inner.equals(STARTED_JAR)) {
                    Files.copy(file, copy); // a JVM looks for the others beside the file that a link leads to
                } else {
                    Files.createSymbolicLink(copy, file);
                }
            }
        }
        return target;
    }

    private static Path built(String service) {
        return Checkout.path().resolve(service).resolve("target");
    }

    private void replaceIn(Path jar) throws IOException {
        try (var content = FileSystems.newFileSystem(jar)) {
            copy(classes, content.getPath("/"));
        }
    }
}
