package dev.orderly.messaging;

import dev.orderly.database.OutageException;
import dev.orderly.events.Event;
import dev.orderly.events.EventCodec;
import dev.orderly.events.EventFormat;
import dev.orderly.events.Publishers;
import io.quarkus.runtime.ShutdownEvent;
import io.quarkus.runtime.StartupEvent;
import jakarta.annotation.Priority;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import jakarta.enterprise.inject.Default;
import java.io.IOException;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.eclipse.microprofile.health.HealthCheck;
import org.eclipse.microprofile.health.HealthCheckResponse;
import org.eclipse.microprofile.health.Readiness;
import org.jboss.logging.Logger;

/**
 * The format of what this service publishes, and the ids that the registry has given to its schemas: they are
 * registered at the start, and until they are the service is not ready. From then on it needs no registry to
 * publish. With JSON there is nothing to register.
 */
@Readiness
@Default // @Readiness is a qualifier, which would replace it
@ApplicationScoped
public class PublishedSchemas implements HealthCheck {

    private static final Logger LOG = Logger.getLogger(PublishedSchemas.class);
    private static final int PAUSE_SECONDS = 1;

    private final SchemaRegistry registry;
    private final EventFormat format;
    private final Set<Class<? extends Event>> types;
    private final Map<Class<? extends Event>, Integer> ids = new ConcurrentHashMap<>();
    private final CountDownLatch stopping = new CountDownLatch(1);
    private volatile String obstacle = "not tried yet";

    PublishedSchemas(
            SchemaRegistry registry,
            @ConfigProperty(name = "orderly.event.format") EventFormat format,
            @ConfigProperty(name = "quarkus.application.name") String source) {
        if (format != EventFormat.JSON && !registry.isConfigured()) {
            throw new IllegalArgumentException("orderly.event.format: %s needs a schema registry, orderly.registry.url"
                    .formatted(format.name().toLowerCase(Locale.ROOT)));
        }
        this.registry = registry;
        this.format = format;
        this.types = format == EventFormat.JSON ? Set.of() : Publishers.withValues(source);
    }

    // Before the consumers, which start on this event as well.
    void start(@Observes @Priority(1) StartupEvent event) {
        if (!register()) {
            Thread.ofVirtual().name("schemas").start(this::registerUntilDone);
        }
    }

    void stop(@Observes ShutdownEvent event) {
        stopping.countDown();
    }

    EventFormat format() {
        return format;
    }

    /**
     * The value of the record, or null for a tombstone.
     *
     * @throws OutageException when the schema is not registered yet
     */
    byte[] write(Event event) {
        if (event.erasesKey()) {
            return null;
        }
        var id = ids.get(event.getClass());
        if (id == null) {
            throw new OutageException("the schema of " + event.getClass().getSimpleName() + " has no id yet", null);
        }
        return EventCodec.write(format, event, id);
    }

    /** Null where there is no value. */
    String contentType(Event event) {
        return event.erasesKey() ? null : format.contentType();
    }

    private boolean isDone() {
        return ids.size() == types.size();
    }

    @Override
    public HealthCheckResponse call() {
        var response = HealthCheckResponse.named("Event schemas")
                .withData("format", format.name().toLowerCase(Locale.ROOT))
                .status(isDone());
        return isDone()
                ? response.build()
                : response.withData("waiting", obstacle).build();
    }

    private void registerUntilDone() {
        try {
            while (!stopping.await(PAUSE_SECONDS, TimeUnit.SECONDS) && !register()) {
                // until it succeeds
            }
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    private boolean register() {
        try {
            for (var type : types) {
                if (!ids.containsKey(type)) {
                    var schema = new SchemaRegistry.Schema(format.name(), EventCodec.schema(format, type));
                    ids.put(type, registry.register(EventCodec.subject(format, type), schema));
                }
            }
        } catch (IOException | OutageException e) {
            if (!e.getMessage().equals(obstacle)) {
                LOG.warnf("not ready: the schemas of events are not registered yet: %s", e.getMessage());
            }
            obstacle = e.getMessage();
        }
        return isDone();
    }
}
