package dev.orderly.testing;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import javax.sql.DataSource;

/** Statements of a test on the database of its service, each in a transaction of its own. */
public final class Sql {

    private final DataSource database;

    public Sql(DataSource database) {
        this.database = database;
    }

    /** The first column of every row, as text. */
    public List<String> strings(String sql, Object... parameters) throws SQLException {
        try (var connection = database.getConnection();
                var select = prepare(connection, sql, parameters);
                var rows = select.executeQuery()) {
            var strings = new ArrayList<String>();
            while (rows.next()) {
                strings.add(rows.getString(1));
            }
            return strings;
        }
    }

    /** The first column of the only row. */
    public long number(String sql, Object... parameters) throws SQLException {
        return Long.parseLong(strings(sql, parameters).getFirst());
    }

    public void execute(String sql, Object... parameters) throws SQLException {
        try (var connection = database.getConnection();
                var statement = prepare(connection, sql, parameters)) {
            statement.execute();
        }
    }

    /** The lines of the plan by which a statement would be executed in large tables: by an index in order. */
    public List<String> plan(String sql, Object... parameters) throws SQLException {
        try (var connection = database.getConnection();
                var settings = connection.createStatement()) {
            settings.execute("SET enable_seqscan = off; SET enable_bitmapscan = off");
            try (var explain = prepare(connection, "EXPLAIN " + sql, parameters);
                    var rows = explain.executeQuery()) {
                var lines = new ArrayList<String>();
                while (rows.next()) {
                    lines.add(rows.getString(1));
                }
                return lines;
            } finally {
                settings.execute("RESET enable_seqscan; RESET enable_bitmapscan");
            }
        }
    }

    private static PreparedStatement prepare(Connection connection, String sql, Object... parameters)
            throws SQLException {
        var statement = connection.prepareStatement(sql);
        for (var i = 0; i < parameters.length; i++) {
            statement.setObject(i + 1, parameters[i]);
        }
        return statement;
    }
}
