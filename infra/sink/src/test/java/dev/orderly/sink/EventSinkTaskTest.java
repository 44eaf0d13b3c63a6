package dev.orderly.sink;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.sql.BatchUpdateException;
import java.sql.SQLException;
import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.kafka.connect.data.Struct;
import org.apache.kafka.connect.errors.ConnectException;
import org.apache.kafka.connect.errors.DataException;
import org.apache.kafka.connect.header.ConnectHeaders;
import org.apache.kafka.connect.sink.SinkRecord;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What does not need a database: rows of events, and whose fault a failure is. */
class EventSinkTaskTest {
    private static final String ID = "0198c6a2-0000-7000-8000-000000000001";

    private final Map<String, String> headers =
            new LinkedHashMap<>(Map.of("id", ID, "type", "OrderPlaced", "source", "order-service", "version", "1"));

    private SinkRecord event(byte[] value) {
        var all = new ConnectHeaders();
        headers.forEach((name, text) -> all.addBytes(name, text.getBytes(UTF_8)));
        return new SinkRecord("order-service", 0, null, ID.getBytes(UTF_8), null, value, 7, null, null, all);
    }

    @Test
    void an_event_becomes_a_row_with_its_headers_and_its_json_as_it_is() {
        var row = (Struct) EventRow.of(event("{\"id\": 1}".getBytes(UTF_8))).value();

        assertThat(row.getString("id")).isEqualTo(ID);
        assertThat(row.getString("key")).isEqualTo(ID);
        assertThat(row.getString("type")).isEqualTo("OrderPlaced");
        assertThat(row.getString("source")).isEqualTo("order-service");
        assertThat(row.getInt32("version")).isEqualTo(1);
        assertThat(row.getString("payload")).isEqualTo("{\"id\": 1}");
    }

    @Test
    void a_tombstone_becomes_a_row_without_a_payload() {
        var row = (Struct) EventRow.of(event(null)).value();

        assertThat(row.getString("payload")).isNull();
        assertThat(row.getString("key")).isEqualTo(ID);
    }

    @ParameterizedTest
    @ValueSource(strings = {"id", "type", "source", "version"})
    void an_event_without_one_of_its_headers_is_a_dead_letter(String header) {
        headers.remove(header);

        assertThatThrownBy(() -> EventRow.of(event(null)))
                .isInstanceOf(DataException.class)
                .hasMessageContaining("header " + header + " is missing");
    }

    @Test
    void an_event_in_another_format_is_a_dead_letter() {
        headers.put("content-type", "application/vnd.apache.avro+binary");

        assertThatThrownBy(() -> EventRow.of(event(new byte[] {0, 0, 0, 0, 1})))
                .isInstanceOf(DataException.class)
                .hasMessage("only events in JSON can be read here");
    }

    @Test
    void an_event_that_says_it_is_json_is_read() {
        headers.put("content-type", "application/json;charset=UTF-8");

        assertThat(EventRow.of(event("{}".getBytes(UTF_8))).value()).isInstanceOf(Struct.class);
    }

    @Test
    void bytes_that_are_no_text_are_a_dead_letter() {
        assertThatThrownBy(() -> EventRow.of(event(new byte[] {(byte) 0xc3, 0x28})))
                .isInstanceOf(DataException.class)
                .hasMessage("the value is not UTF-8");
    }

    @ParameterizedTest
    @CsvSource({"22P02, true", "23514, true", "P0001, true", "08006, false", "57P01, false", "42P01, false", ", false"})
    void only_what_another_attempt_cannot_change_is_the_fault_of_the_row(String state, boolean ofTheRow) {
        var failure = new ConnectException(new BatchUpdateException("aborted", state, new int[0]));

        assertThat(EventSinkTask.isOfTheRow(failure)).isEqualTo(ofTheRow);
    }

    @Test
    void a_cycle_of_causes_ends() {
        var outer = new IllegalStateException("outer");
        outer.initCause(new IllegalStateException("inner", outer));

        assertThat(EventSinkTask.isOfTheRow(outer)).isFalse();
    }

    @Test
    void a_failure_outside_of_the_database_is_not_the_fault_of_the_row() {
        assertThat(EventSinkTask.isOfTheRow(new ConnectException(new SQLException("no state"))))
                .isFalse();
        assertThat(EventSinkTask.isOfTheRow(new IllegalStateException("no dialect")))
                .isFalse();
    }
}
