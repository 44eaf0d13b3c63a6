package dev.orderly.http;

import dev.orderly.database.DatabaseMigration;
import org.jboss.resteasy.reactive.server.ServerRequestFilter;

/** Answers for all resources of a service until its database is migrated. */
class MigrationGate {

    private final DatabaseMigration migration;

    MigrationGate(DatabaseMigration migration) {
        this.migration = migration;
    }

    @ServerRequestFilter(preMatching = true)
    void requireMigratedDatabase() {
        if (!migration.isDone()) {
            throw Problems.unavailable("The database is not ready yet. Nothing was changed; try again.");
        }
    }
}
