package dev.orderly.database;

import static java.util.stream.Collectors.joining;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import java.util.function.Function;
import java.util.function.IntFunction;
import javax.sql.DataSource;

/**
 * Values as a table that a statement reads from: one statement for any number of rows. Each column is named
 * once, beside its values. In the SQL, {@code :rows} stands for the table {@code rows} of these columns, and
 * {@code :columns} for their list.
 *
 * <pre>{@code
 * Rows.of(placed)
 *         .uuid("id", Order::id)
 *         .text("status", Order::status)
 *         .bigint("total", order -> order.total().amount())
 *         .update(database, "INSERT INTO orders (:columns) SELECT :columns FROM :rows");
 *
 * Rows.of(changed)
 *         .uuid("id", Order::id)
 *         .text("status", Order::status)
 *         .update(database, "UPDATE orders SET status = rows.status FROM :rows WHERE orders.id = rows.id");
 * }</pre>
 *
 * <p>The table has one more column, {@code ordinality}: the position of the row, from 1.
 */
public final class Rows<R> {

    private record Column(String name, String type, Object[] values) {}

    private final Collection<R> rows;
    private final List<Column> columns = new ArrayList<>();

    private Rows(Collection<R> rows) {
        this.rows = rows;
    }

    public static <R> Rows<R> of(Collection<R> rows) {
        return new Rows<>(rows);
    }

    public Rows<R> uuid(String name, Function<? super R, UUID> value) {
        return column(name, "uuid", value, UUID[]::new);
    }

    /** Values by their {@code toString()}, so also of an enum. */
    public Rows<R> text(String name, Function<? super R, ?> value) {
        return column(name, "text", value.andThen(Rows::string), String[]::new);
    }

    /** Values that are JSON. */
    public Rows<R> jsonb(String name, Function<? super R, String> value) {
        return column(name, "jsonb", value, String[]::new);
    }

    public Rows<R> integer(String name, Function<? super R, Integer> value) {
        return column(name, "int", value, Integer[]::new);
    }

    public Rows<R> bigint(String name, Function<? super R, Long> value) {
        return column(name, "bigint", value, Long[]::new);
    }

    public Rows<R> bool(String name, Function<? super R, Boolean> value) {
        return column(name, "boolean", value, Boolean[]::new);
    }

    public Rows<R> timestamptz(String name, Function<? super R, Instant> value) {
        return column(name, "timestamptz", value.andThen(Rows::string), String[]::new);
    }

    public Rows<R> bytea(String name, Function<? super R, byte[]> value) {
        return column(name, "bytea", value, byte[][]::new);
    }

    private static String string(Object value) {
        return Objects.toString(value, null);
    }

    private <V> Rows<R> column(
            String name, String type, Function<? super R, ? extends V> value, IntFunction<V[]> array) {
        columns.add(new Column(name, type, rows.stream().map(value).toArray(array)));
        return this;
    }

    /** Executes a statement before the current transaction commits, unless there are no rows. */
    public void updateLater(DeferredWrites writes, String sql) {
        if (!rows.isEmpty()) {
            writes.add(this, complete(sql), false);
        }
    }

    /**
     * Executes a statement before the current transaction commits, unless there are no rows, and fails the
     * transaction unless it changes as many rows as there are here.
     */
    public void updateEachLater(DeferredWrites writes, String sql) {
        if (!rows.isEmpty()) {
            writes.add(this, complete(sql), true);
        }
    }

    /** Executes a statement, unless there are no rows, and returns how many rows it has changed. */
    public int update(DataSource database, String sql) throws SQLException {
        if (rows.isEmpty()) {
            return 0;
        }
        try (var connection = database.getConnection();
                var statement = prepare(connection, sql)) {
            return statement.executeUpdate();
        }
    }

    /** A statement with its {@code :rows}; further parameters of it must follow them. */
    public PreparedStatement prepare(Connection connection, String sql) throws SQLException {
        var statement = connection.prepareStatement(complete(sql));
        try {
            bind(statement, 0);
            return statement;
        } catch (SQLException e) {
            statement.close();
            throw e;
        }
    }

    private String complete(String sql) {
        return sql.replace(":rows", table()).replace(":columns", names());
    }

    /** Sets its parameters, and returns how many there are with those before them. */
    int bind(PreparedStatement statement, int before) throws SQLException {
        var parameter = before;
        for (var column : columns) {
            parameter++;
            if (column.values instanceof byte[][]) {
                statement.setArray(parameter, statement.getConnection().createArrayOf(column.type, column.values));
            } else {
                statement.setObject(parameter, column.values);
            }
        }
        return parameter;
    }

    int size() {
        return rows.size();
    }

    private String table() {
        return columns.stream()
                .map(column -> "?::" + column.type + "[]")
                .collect(joining(", ", "unnest(", ") WITH ORDINALITY AS rows (" + names() + ", ordinality)"));
    }

    private String names() {
        return columns.stream().map(column -> '"' + column.name + '"').collect(joining(", "));
    }
}
