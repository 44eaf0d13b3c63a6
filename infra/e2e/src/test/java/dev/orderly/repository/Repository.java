package dev.orderly.repository;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/** The files of the checkout, as the tests of style and documents read them. */
final class Repository {
    static final Path ROOT = Path.of(System.getProperty("orderly.checkout"));

    private Repository() {}

    /** The files below the checkout whose names end so, but for what a build or a run has made. */
    static List<Path> files(String ending) {
        try (Stream<Path> all = Files.walk(ROOT)) {
            return all.filter(file -> file.toString().endsWith(ending))
                    .filter(Repository::isSource)
                    .sorted()
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static boolean isSource(Path file) {
        for (Path part : ROOT.relativize(file)) {
            String name = part.toString();
            if (Set.of("target", "node_modules", ".git").contains(name) || name.startsWith(".orderly")) {
                return false;
            }
        }
        return true;
    }

    static String text(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static List<String> lines(Path file) {
        return text(file).lines().toList();
    }

    /** A line as an editor opens it. */
    static String place(Path file, long line) {
        return ROOT.relativize(file) + ":" + line;
    }
}
