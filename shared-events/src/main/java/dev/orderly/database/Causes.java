package dev.orderly.database;

import java.util.Objects;
import java.util.stream.Stream;

/** The chain of causes of an exception. */
public final class Causes {

    private static final int MAX = 20;

    private Causes() {}

    /** From the outermost, the failure itself, up to a limit: those of Vert.x may form a cycle. */
    public static Stream<Throwable> of(Throwable failure) {
        return Stream.iterate(failure, Objects::nonNull, Throwable::getCause).limit(MAX);
    }
}
