package dev.orderly.console.demo;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.orderly.platform.config.Checkout;
import io.quarkiverse.resteasy.problem.HttpProblem;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DemoResourceTest {

    @TempDir
    Path state;

    private DemoPlatform platform() {
        return DemoPlatforms.of(state, Checkout.path());
    }

    @ParameterizedTest
    @ValueSource(strings = {"payment-consumer-group", "orders-outbox-auditor-group", "connect-erp"})
    void a_group_that_the_system_reads_in_is_not_removed(String group) {
        var resource = new DemoResource(null, null, null, null, null, platform());

        assertThatExceptionOfType(HttpProblem.class)
                .isThrownBy(() -> resource.removeGroup(group))
                .matches(problem -> problem.getStatusCode() == 409);
    }

    @Test
    void groups_of_readers_are_not_the_systems_own() {
        assertThat(platform().ownGroups()).isNotEmpty().noneMatch(group -> group.startsWith("reader-"));
    }

    @Test
    void the_page_offers_as_many_partitions_as_there_may_be() throws IOException {
        try (var page = getClass().getResourceAsStream("/META-INF/resources/js/lag.js")) {
            assertThat(new String(page.readAllBytes(), UTF_8))
                    .contains("MAX_PARTITIONS = " + DemoResource.MAX_PARTITIONS + ";");
        }
    }
}
