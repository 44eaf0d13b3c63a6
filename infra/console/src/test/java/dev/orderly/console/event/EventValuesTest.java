package dev.orderly.console.event;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpServer;
import dev.orderly.console.config.ConsoleConfig;
import dev.orderly.events.EventCodec;
import dev.orderly.events.EventFormat;
import dev.orderly.events.EventHeaders;
import dev.orderly.events.Money;
import dev.orderly.events.OrderEvent.OrderConfirmed;
import io.smallrye.config.SmallRyeConfigBuilder;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Instant;
import java.util.UUID;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class EventValuesTest {

    private static final OrderConfirmed EVENT = new OrderConfirmed(
            UUID.randomUUID(), UUID.randomUUID(), Money.of(1, "EUR"), Instant.parse("2026-11-30T10:15:30Z"));

    private final ObjectMapper json = new ObjectMapper();
    private HttpServer registry;
    private EventValues values;

    /** Bytes that the registry announces and never sends. */
    private int missing;

    /** It has the schema of Avro under each id. */
    @BeforeEach
    void startRegistry() throws IOException {
        registry = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        registry.createContext("/", exchange -> {
            var answer = json.createObjectNode()
                    .put("schema", EventCodec.schema(EventFormat.AVRO, OrderConfirmed.class))
                    .toString()
                    .getBytes(UTF_8);
            exchange.sendResponseHeaders(200, answer.length + missing);
            exchange.getResponseBody().write(answer);
            exchange.getResponseBody().flush();
            if (missing == 0) {
                exchange.close();
            }
        });
        registry.start();
        var config = new SmallRyeConfigBuilder()
                .addDiscoveredConverters()
                .withMapping(ConsoleConfig.class)
                .withDefaultValue(
                        "console.registry",
                        "http://127.0.0.1:" + registry.getAddress().getPort())
                .withDefaultValue("console.token-endpoint", "http://127.0.0.1:1")
                .withDefaultValue("console.database.host", "127.0.0.1")
                .withDefaultValue("console.database.port", "1")
                .build();
        values = new EventValues(config.getConfigMapping(ConsoleConfig.class), json);
    }

    @AfterEach
    void stopRegistry() {
        registry.stop(0);
    }

    @ParameterizedTest
    @EnumSource
    void an_event_is_shown_as_JSON_whatever_its_format_is(EventFormat format) {
        var value = values.of(record(format.contentType(), EventCodec.write(format, EVENT, 1)));

        assertThat(value.path("customerId").asText())
                .isEqualTo(EVENT.customerId().toString());
        assertThat(value.path("status").asText()).isEqualTo("CONFIRMED");
        assertThat(value.path("occurredAt").asText()).isEqualTo("2026-11-30T10:15:30Z");
    }

    @Test
    void what_cannot_be_decoded_is_named_and_not_guessed() {
        assertThat(values.of(record("text/xml", new byte[] {1, 2})).asText()).isEqualTo("2 bytes of text/xml");
        assertThat(values.of(record(null, "{oops".getBytes(UTF_8))).asText()).isEqualTo("{oops");
        assertThat(values.of(record(null, null))).isNull();
    }

    @Test
    @Timeout(60)
    void a_registry_that_stops_in_its_answer_holds_nothing_up() {
        missing = 1;

        var value = values.of(record("application/avro", EventCodec.write(EventFormat.AVRO, EVENT, 1)));

        assertThat(value.asText()).endsWith(" bytes of application/avro");
    }

    @Test
    void a_record_that_names_a_wrong_format_spoils_no_other_of_its_schema() {
        var avro = EventCodec.write(EventFormat.AVRO, EVENT, 1);

        assertThat(values.of(record("application/x-protobuf", avro)).asText())
                .endsWith(" bytes of application/x-protobuf");
        assertThat(values.of(record("application/avro", avro)).path("status").asText())
                .isEqualTo("CONFIRMED");
    }

    private static ConsumerRecord<String, byte[]> record(String contentType, byte[] value) {
        var record = new ConsumerRecord<>("order-service", 0, 0, EVENT.id().toString(), value);
        record.headers().add(EventHeaders.TYPE, "OrderConfirmed".getBytes(UTF_8));
        if (contentType != null) {
            record.headers().add(EventHeaders.CONTENT_TYPE, contentType.getBytes(UTF_8));
        }
        return record;
    }
}
