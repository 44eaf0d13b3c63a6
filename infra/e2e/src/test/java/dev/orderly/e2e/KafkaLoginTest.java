package dev.orderly.e2e;

import static dev.orderly.e2e.KafkaAccessTest.failureOf;
import static dev.orderly.e2e.KafkaAccessTest.setPassword;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.orderly.platform.kafka.KafkaLogin;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.common.errors.SaslAuthenticationException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.UnsupportedSaslMechanismException;
import org.junit.jupiter.api.Test;

/** Whom the brokers let in at all; what they may do then is in {@link KafkaAccessTest}. */
@EndToEnd
class KafkaLoginTest {

    @Test
    void without_the_right_login_a_client_gets_no_answer() {
        var platform = RunningSystem.platform();

        assertThat(failureOf(() -> ask(platform.kafka(Map.of("security.protocol", "PLAINTEXT")))))
                .as("no login")
                .isInstanceOf(TimeoutException.class);
        assertThat(failureOf(() -> ask(platform.kafka(login(KafkaLogin.ADMIN, "wrong")))))
                .as("a wrong password")
                .isInstanceOf(SaslAuthenticationException.class);
        assertThat(failureOf(() -> ask(platform.kafka(login("broker", platform.secret("kafka_broker"))))))
                .as("a broker's login, where clients log in")
                .isInstanceOf(SaslAuthenticationException.class);
        assertThat(failureOf(() -> ask(platform.kafka(Map.of("sasl.mechanism", "PLAIN")))))
                .as("a password that is sent as it is")
                .isInstanceOf(UnsupportedSaslMechanismException.class);
    }

    private static Map<String, Object> login(String user, String password) {
        return Map.of("sasl.jaas.config", new KafkaLogin(user, password).jaasConfig());
    }

    private static void ask(Map<String, Object> settings) throws ExecutionException, InterruptedException {
        var impatient = new HashMap<>(settings);
        impatient.putAll(Map.of("request.timeout.ms", 3000, "default.api.timeout.ms", 5000));
        try (var client = Admin.create(impatient)) {
            client.describeCluster().nodes().get();
        }
    }

    @Test
    void a_new_password_counts_from_the_next_connection_on() throws Exception {
        var platform = RunningSystem.platform();
        var before = platform.kafka(KafkaLogin.READER, Map.of());
        var after = platform.kafka(login(KafkaLogin.READER, "another"));
        ask(before);

        setPassword(platform.admin(), KafkaLogin.READER, "another");

        try {
            await().untilAsserted(() ->
                    assertThat(failureOf(() -> ask(before))).isInstanceOf(SaslAuthenticationException.class));
            await().untilAsserted(() -> assertThat(failureOf(() -> ask(after))).isNull());
        } finally {
            setPassword(platform.admin(), KafkaLogin.READER, platform.secret("kafka_reader"));
            await().untilAsserted(() -> assertThat(failureOf(() -> ask(before))).isNull());
        }
    }
}
