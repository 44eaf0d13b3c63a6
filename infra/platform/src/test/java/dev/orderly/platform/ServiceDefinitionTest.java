package dev.orderly.platform;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.orderly.platform.config.CommandFailedException;
import java.util.Map;
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

    @Test
    void settings_of_the_services_are_handed_on_but_the_format_which_an_option_decides() {
        var launchers = Map.of("ORDERLY_ORDER_DEADLINE", "10S", "ORDERLY_EVENT_FORMAT", "avro", "HOME", "/root");

        assertThat(ServiceDefinition.chosen(launchers)).containsExactly(Map.entry("ORDERLY_ORDER_DEADLINE", "10S"));
    }
}
