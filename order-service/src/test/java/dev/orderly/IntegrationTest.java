package dev.orderly;

import dev.orderly.testing.RealPlatform;
import dev.orderly.testing.Sql;
import io.quarkus.test.common.QuarkusTestResource;
import io.quarkus.test.common.ResourceArg;
import jakarta.inject.Inject;
import javax.sql.DataSource;

/** Runs the service on a PostgreSQL and a Kafka of its own. */
@QuarkusTestResource(value = RealPlatform.class, initArgs = @ResourceArg(name = "service", value = "order-service"))
public abstract class IntegrationTest {

    @Inject
    protected DataSource database;

    protected Sql sql() {
        return new Sql(database);
    }
}
