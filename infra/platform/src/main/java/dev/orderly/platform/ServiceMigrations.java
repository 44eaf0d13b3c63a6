package dev.orderly.platform;

import dev.orderly.platform.config.CommandFailedException;
import dev.orderly.platform.postgres.ServiceDatabases;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.configuration.Configuration;

/**
 * Migrates the services' databases to the versions that the services were built with, as their owners, whose
 * passwords the services do without. Before they start: a service whose database lacks a migration waits.
 */
public final class ServiceMigrations {
    private static final String[] LOCATIONS = {"db/messaging", "db/migration"};

    private ServiceMigrations() {}

    /**
     * Applies what is missing, to all databases in parallel.
     *
     * @param checkout where the services are built, or in a container, what of them it has
     * @throws CommandFailedException when PostgreSQL is away, a database does not fit the migrations, or
     *     another session holds a lock; it can be tried again
     */
    public static void apply(List<ServiceDefinition> services, Path checkout, ServiceDatabases databases) {
        services.parallelStream().forEach(service -> apply(service, checkout, databases));
    }

    /** By the class that the service itself would migrate with, so that there is one way to do it. */
    private static void apply(ServiceDefinition service, Path checkout, ServiceDatabases databases) {
        var jars = service.migrations(checkout).toArray(URL[]::new);
        try (var loader = new URLClassLoader(jars, ServiceMigrations.class.getClassLoader())) {
            var configuration = Flyway.configure(loader)
                    .dataSource(databases.ofOwner(service.database()))
                    .locations(LOCATIONS)
                    .placeholders(Map.of("database", service.database(), "service", service.name()));
            loader.loadClass("dev.orderly.database.SchemaMigrations")
                    .getMethod("apply", Configuration.class)
                    .invoke(null, configuration);
        } catch (InvocationTargetException e) {
            String why = String.valueOf(e.getCause().getMessage())
                    .lines()
                    .filter(line -> !line.isBlank())
                    .findFirst()
                    .orElse("no reason given");
            throw new CommandFailedException(
                    "cannot migrate the database " + service.database() + ": " + why, e.getCause());
        } catch (ReflectiveOperationException | IOException e) {
            throw new CommandFailedException("cannot read the migrations of " + service.name() + ": " + e, e);
        }
    }
}
