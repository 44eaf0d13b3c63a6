package dev.orderly.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.smallrye.config.EnvConfigSource;
import io.smallrye.config.PropertiesConfigSource;
import io.smallrye.config.SmallRyeConfig;
import io.smallrye.config.SmallRyeConfigBuilder;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LiteralEnvironmentTest {

    @ParameterizedTest
    @ValueSource(
            strings = {"plain", "ab$$cd", "ab${cd}ef", "a$b", "$", "$$", "${", "a$$${x:y}z", "back\\slash", "a\"b'c"})
    void a_password_from_the_environment_is_taken_literally(String password) {
        var config = config(password);

        assertThat(config.getValue("quarkus.datasource.password", String.class)).isEqualTo(password);
        assertThat(config.getValue("orderly.key", String.class)).isEqualTo(password);
    }

    @Test
    void a_password_that_cannot_be_read_is_refused_by_name_and_not_shown() {
        var config = config("secret\\$");

        assertThatThrownBy(() -> config.getValue("quarkus.datasource.password", String.class))
                .hasMessageContaining("DB_APP_PASSWORD has a backslash before a dollar sign")
                .hasMessageNotContaining("secret");
    }

    @Test
    void a_property_that_refers_to_another_is_still_a_template() {
        assertThat(config("x").getValue("url", String.class)).isEqualTo("jdbc:orders");
    }

    /** As a service's: one property refers to a variable, another is one. */
    private static SmallRyeConfig config(String password) {
        var properties = Map.of(
                "quarkus.datasource.password",
                "${DB_APP_PASSWORD:}",
                "orderly.key",
                "",
                "url",
                "jdbc:${db}",
                "db",
                "orders");
        var environment = Map.of("DB_APP_PASSWORD", password, "ORDERLY_KEY", password);
        return new SmallRyeConfigBuilder()
                .addDefaultInterceptors()
                .addDiscoveredInterceptors()
                .withSources(
                        new PropertiesConfigSource(properties, "application.properties", 250),
                        new EnvConfigSource(environment, 300))
                .build();
    }
}
