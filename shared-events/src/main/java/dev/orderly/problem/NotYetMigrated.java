package dev.orderly.problem;

import dev.orderly.messaging.Migration;
import io.quarkiverse.resteasy.problem.HttpProblem;
import org.jboss.resteasy.reactive.server.ServerRequestFilter;

/** Answers for all resources of a service, for as long as its database is not what they need. */
class NotYetMigrated {

    private final Migration migration;

    NotYetMigrated(Migration migration) {
        this.migration = migration;
    }

    @ServerRequestFilter(preMatching = true)
    void refuse() {
        if (!migration.done()) {
            throw HttpProblem.builder()
                    .withType(ProblemShape.NO_SPECIAL_TYPE)
                    .withTitle("Service Unavailable")
                    .withStatus(503)
                    .withDetail("The database is not ready yet. Nothing was changed; try again.")
                    .withHeader("Retry-After", ProblemShape.RETRY_AFTER_SECONDS)
                    .build();
        }
    }
}
