package dev.orderly.http;

import dev.orderly.database.DatabaseMigration;
import org.jboss.resteasy.reactive.server.ServerRequestFilter;

/** Answers for all resources of a service, for as long as its database is not what they need. */
class MigrationGate {

    private final DatabaseMigration migration;

    MigrationGate(DatabaseMigration migration) {
        this.migration = migration;
    }

    @ServerRequestFilter(preMatching = true)
    void refuse() {
        if (!migration.done()) {
            throw Problems.unavailable("The database is not ready yet. Nothing was changed; try again.");
        }
    }
}
