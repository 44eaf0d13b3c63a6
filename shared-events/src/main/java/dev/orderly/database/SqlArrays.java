package dev.orderly.database;

import java.util.Collection;
import java.util.function.Function;
import java.util.function.IntFunction;

/**
 * Rows as the columns that a statement takes them in, by {@code unnest}: one statement for any number of
 * rows.
 */
public final class SqlArrays {

    private SqlArrays() {}

    /** The values of one column, in the order of the rows. */
    public static <R, V> V[] column(Collection<R> rows, Function<R, V> value, IntFunction<V[]> array) {
        return rows.stream().map(value).toArray(array);
    }
}
