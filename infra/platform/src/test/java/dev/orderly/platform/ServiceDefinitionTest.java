package dev.orderly.platform;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.orderly.platform.config.CommandFailedException;
import org.junit.jupiter.api.Test;

class ServiceDefinitionTest {

    @Test
    void services_listen_on_this_machine_alone_unless_the_user_wants_more() {
        assertThat(ServiceDefinition.listenAddress(null)).isEqualTo("127.0.0.1");
        assertThat(ServiceDefinition.listenAddress("0.0.0.0")).isEqualTo("0.0.0.0");
        assertThatThrownBy(() -> ServiceDefinition.listenAddress("192.0.2.1"))
                .isInstanceOf(CommandFailedException.class)
                .hasMessageContaining("0.0.0.0 for every interface");
    }
}
