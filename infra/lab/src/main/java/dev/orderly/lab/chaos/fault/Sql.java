package dev.orderly.lab.chaos.fault;

import dev.orderly.testkit.RunningPlatform;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;

/** Queries as superuser, each on a connection of its own. */
public final class Sql {
    private Sql() {}

    /** The first column of the result. */
    public static List<String> column(RunningPlatform system, String database, String query) throws SQLException {
        try (var connection = system.connect(database);
                var select = connection.createStatement();
                var rows = select.executeQuery(query)) {
            var column = new ArrayList<String>();
            while (rows.next()) {
                column.add(rows.getString(1));
            }
            return column;
        }
    }
}
