package dev.orderly.problem;

import io.quarkus.runtime.configuration.MemorySize;
import io.quarkus.vertx.http.runtime.filters.Filters;
import io.vertx.ext.web.RoutingContext;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import org.eclipse.microprofile.config.inject.ConfigProperty;

/** A body that is announced as too long is refused before it comes, and by a problem: Quarkus would only give the number. */
@ApplicationScoped
class BodyLimit {

    private final long mostBytes;

    BodyLimit(@ConfigProperty(name = "quarkus.http.limits.max-body-size") MemorySize most) {
        this.mostBytes = most.asLongValue();
    }

    void install(@Observes Filters filters) {
        filters.register(this::admit, AtTheDoor.FIRST + 1); // who is refused for this takes nobody's place
    }

    private void admit(RoutingContext request) {
        if (AtTheDoor.length(request) > mostBytes) {
            AtTheDoor.refuse(
                    request, 413, "Content Too Large", "The body must not be longer than " + mostBytes + " bytes.");
        } else {
            request.next();
        }
    }
}
