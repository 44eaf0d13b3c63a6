package dev.orderly.database;

import com.fasterxml.uuid.Generators;
import com.fasterxml.uuid.NoArgGenerator;
import java.util.UUID;

/**
 * Ids that ascend with time (<a href="https://www.rfc-editor.org/rfc/rfc9562#name-uuid-version-7">RFC 9562,
 * version 7</a>): new rows are neighbours in an index, where random ids would touch a page each.
 */
public final class UuidV7 {

    private static final NoArgGenerator GENERATOR = Generators.timeBasedEpochRandomGenerator();

    private UuidV7() {}

    public static UUID next() {
        return GENERATOR.generate();
    }
}
