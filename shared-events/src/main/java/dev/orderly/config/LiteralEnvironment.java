package dev.orderly.config;

import io.smallrye.config.ConfigSourceInterceptor;
import io.smallrye.config.ConfigSourceInterceptorContext;
import io.smallrye.config.ConfigValue;
import io.smallrye.config.Priorities;
import jakarta.annotation.Priority;

/**
 * Takes values from the environment as they are: a password is not a template. SmallRye would read {@code $$}
 * as one dollar sign, and <code>${…}</code> as the value of another property, also where a property refers to
 * the variable.
 *
 * <p>Of a lower priority than the expansion of expressions, so that it is nearer to the sources, and what it
 * escapes is unescaped there.
 */
@Priority(Priorities.LIBRARY + 200)
public class LiteralEnvironment implements ConfigSourceInterceptor {

    private static final long serialVersionUID = 1;
    private static final String ENVIRONMENT = "EnvConfigSource";

    /**
     * @throws IllegalArgumentException if the value has a backslash before a dollar sign, which cannot be
     *     escaped; it names the variable, not the value
     */
    @Override
    public ConfigValue getValue(ConfigSourceInterceptorContext context, String name) {
        var found = context.proceed(name);
        if (found == null || found.getValue() == null || !ENVIRONMENT.equals(found.getConfigSourceName())) {
            return found;
        }
        if (found.getValue().contains("\\$")) {
            throw new IllegalArgumentException("in the environment, " + name
                    + " has a backslash before a dollar sign, which a service cannot read: choose another value");
        }
        return found.withValue(found.getValue().replace("$", "$$"));
    }
}
