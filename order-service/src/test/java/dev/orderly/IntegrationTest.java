package dev.orderly;

import dev.orderly.testing.DefaultToken;
import dev.orderly.testing.RealPlatform;
import dev.orderly.testing.Sql;
import io.quarkus.test.common.QuarkusTestResource;
import io.quarkus.test.common.ResourceArg;
import jakarta.inject.Inject;
import java.time.Duration;
import javax.sql.DataSource;
import org.awaitility.Awaitility;

/** Runs the service on a PostgreSQL and a Kafka of its own. */
@QuarkusTestResource(value = RealPlatform.class, initArgs = @ResourceArg(name = "service", value = "order-service"))
public abstract class IntegrationTest {

    static {
        Awaitility.setDefaultTimeout(Duration.ofSeconds(30)); // for a machine that other tests keep busy
        DefaultToken.install();
    }

    @Inject
    protected DataSource database;

    protected Sql sql() {
        return new Sql(database);
    }
}
