package dev.orderly.notification;

import static org.awaitility.Awaitility.await;

import dev.orderly.testing.DefaultToken;
import dev.orderly.testing.RealPlatform;
import dev.orderly.testing.Sql;
import io.quarkus.test.common.QuarkusTestResource;
import io.quarkus.test.common.ResourceArg;
import jakarta.inject.Inject;
import java.time.Duration;
import javax.sql.DataSource;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionFactory;

/** Runs the service on its own PostgreSQL and Kafka, with a mail server and an SMS provider. */
@QuarkusTestResource(
        value = RealPlatform.class,
        initArgs = {
            @ResourceArg(name = "service", value = "notification-service"),
            @ResourceArg(name = "mail", value = "true")
        })
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

    /** Longer than a fault and the backoff after it. */
    protected static ConditionFactory eventually() {
        return await().atMost(Duration.ofSeconds(30)).pollInterval(Duration.ofMillis(20));
    }
}
