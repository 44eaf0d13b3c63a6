package dev.orderly.messaging;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpServer;
import dev.orderly.database.OutageException;
import dev.orderly.messaging.SchemaRegistry.RefusedException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** An answer that refuses parks an event; one that it might not give the next time must not. */
class SchemaRegistryTest {

    private final AtomicInteger calls = new AtomicInteger();
    private HttpServer server;
    private SchemaRegistry registry;
    private int status = 200;
    private String body = "";

    /** Bytes that are announced beyond those of the body, and never come. */
    private int missing;

    @BeforeEach
    void start() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", exchange -> {
            calls.incrementAndGet();
            var bytes = body.getBytes(UTF_8);
            exchange.sendResponseHeaders(status, bytes.length == 0 ? -1 : bytes.length + missing);
            exchange.getResponseBody().write(bytes);
            exchange.getResponseBody().flush();
            if (missing == 0) {
                exchange.close();
            }
        });
        server.start();
        var url = "http://127.0.0.1:" + server.getAddress().getPort();
        registry = new SchemaRegistry(Optional.of(url), Optional.empty(), Optional.empty());
    }

    @AfterEach
    void stop() {
        server.stop(0);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            404 | {"error_code":40403,"message":"Schema not found"}
            409 | {"error_code":409,"message":"incompatible"}
            422 | {"error_code":42201,"message":"Invalid schema"}
            """)
    void what_the_registry_says_of_a_schema_is_a_refusal(int status, String body) {
        this.status = status;
        this.body = body;

        assertThatThrownBy(() -> registry.schema(7)).isInstanceOf(RefusedException.class);
        assertThatThrownBy(() -> registry.register("subject", new SchemaRegistry.Schema("AVRO", "\"int\"")))
                .isInstanceOf(RefusedException.class);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            200 | ''
            200 | {"status":"UP"}
            200 | {"id":null,"schema":null}
            200 | <html>hello</html>
            401 | {"error_code":401,"message":"Unauthorized"}
            403 | {"error_code":40301,"message":"User is denied operation"}
            404 | {"error_code":404,"message":"HTTP 404 Not Found"}
            404 | ''
            409 | ''
            429 | {"error_code":429,"message":"Too many requests"}
            500 | {"error_code":50001,"message":"Error in the backend"}
            """)
    void all_else_is_an_outage_for_which_no_event_is_to_blame(int status, String body) {
        this.status = status;
        this.body = body;

        assertThatThrownBy(() -> registry.schema(7)).isInstanceOf(OutageException.class);
        assertThatThrownBy(() -> registry.register("subject", new SchemaRegistry.Schema("AVRO", "\"int\"")))
                .isInstanceOf(OutageException.class);
    }

    @Test
    @Timeout(60)
    void an_answer_that_stops_in_its_middle_is_an_outage() {
        body = "{";
        missing = 100;

        assertThatThrownBy(() -> registry.schema(7))
                .isInstanceOf(OutageException.class)
                .hasMessageContaining("no whole answer");
    }

    @Test
    void a_negative_id_is_refused_without_a_question() {
        assertThatThrownBy(() -> registry.schema(-1)).isInstanceOf(RefusedException.class);
        assertThat(calls).hasValue(0);
    }

    @Test
    void a_schema_without_a_type_is_one_of_avro() throws IOException {
        body = "{\"schema\":\"\\\"int\\\"\"}";

        assertThat(registry.schema(7)).isEqualTo(new SchemaRegistry.Schema("AVRO", "\"int\""));
    }
}
