package dev.orderly.events;

import static dev.orderly.testing.EventSamples.CUSTOMER;
import static dev.orderly.testing.EventSamples.CUSTOMER_EVENTS;
import static dev.orderly.testing.EventSamples.NOW;
import static dev.orderly.testing.EventSamples.ORDER;
import static dev.orderly.testing.EventSamples.ORDER_EVENTS;
import static dev.orderly.testing.EventSamples.TOTAL;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.orderly.events.CustomerEvent.CustomerErased;
import dev.orderly.events.CustomerEvent.CustomerRegistered;
import dev.orderly.events.OrderEvent.Line;
import dev.orderly.events.OrderEvent.OrderPlaced;
import dev.orderly.events.OrderEvent.StockReserved;
import java.io.IOException;
import java.util.List;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class EventJsonTest {

    private static final OrderPlaced PLACED = (OrderPlaced) ORDER_EVENTS.getFirst();
    private static final String PLACED_JSON = """
            {"id":"0198c6a2-0000-7000-8000-000000000001","status":"PENDING",\
            "customerId":"0198c6a2-0000-7000-8000-000000000002",\
            "lines":[{"sku":"mug","quantity":2,"unitPrice":{"amount":1999,"currency":"EUR"}}],\
            "total":{"amount":3998,"currency":"EUR"},"paymentMethod":"BALANCE",\
            "occurredAt":"2026-11-23T10:15:30.123Z"}""";

    private static final UUID CARD = UUID.fromString("0198c6a2-0000-7000-8000-00000000000c");
    private static final OrderPlaced PLACED_BY_CARD = placedBy(CARD, null);
    private static final StockReserved RESERVED_BY_CARD =
            new StockReserved(ORDER, CUSTOMER, TOTAL, PaymentMethod.CARD, CARD, null, NOW);

    /** Of the release before. */
    private static final OrderPlaced PLACED_BY_TOKEN = placedBy(null, new CardToken("tok_ok"));

    private static OrderPlaced placedBy(UUID cardId, CardToken token) {
        var lines = List.of(new Line("mug", 2, TOTAL));
        return new OrderPlaced(ORDER, CUSTOMER, lines, TOTAL, PaymentMethod.CARD, cardId, token, NOW);
    }

    private static final CustomerRegistered REGISTERED = (CustomerRegistered) CUSTOMER_EVENTS.getFirst();
    private static final String REGISTERED_JSON = """
            {"id":"0198c6a2-0000-7000-8000-000000000002","status":"REGISTERED",\
            "contact":{"name":"Ada Lovelace","mail":"ada@example.org","phone":"+493012345678"},\
            "verification":{"id":"0198c6a2-0000-7000-8000-000000000003","expiresAt":"2026-11-23T10:25:30.123Z"},\
            "occurredAt":"2026-11-23T10:15:30.123Z"}""";

    static Stream<OrderEvent> orderEvents() {
        return Stream.concat(ORDER_EVENTS.stream(), Stream.of(PLACED_BY_CARD, RESERVED_BY_CARD, PLACED_BY_TOKEN));
    }

    static Stream<CustomerEvent> customerEventsWithValue() {
        return CUSTOMER_EVENTS.stream().filter(event -> !event.erasesKey());
    }

    @Test
    void an_event_looks_on_the_wire_as_it_was_agreed() {
        assertThat(EventJson.write(PLACED)).isEqualTo(PLACED_JSON);
        assertThat(EventJson.write(REGISTERED)).isEqualTo(REGISTERED_JSON);
    }

    @ParameterizedTest
    @MethodSource("orderEvents")
    void every_event_starts_with_the_order_and_its_status_and_is_read_as_it_was_written(OrderEvent event)
            throws IOException {
        var json = EventJson.write(event);

        assertThat(json).startsWith("{\"id\":\"" + ORDER + "\",\"status\":\"" + event.status() + "\"");
        assertThat(readAs(event, json)).isEqualTo(event);
    }

    @ParameterizedTest
    @MethodSource("customerEventsWithValue")
    void an_event_of_a_customer_is_read_as_it_was_written_and_prints_no_personal_data(CustomerEvent event)
            throws IOException {
        assertThat(readAs(event, EventJson.write(event))).isEqualTo(event);
        assertThat(event.toString()).doesNotContain("Ada", "ada@example.org", "3012345678");
    }

    private static Event readAs(Event event, String json) throws IOException {
        return EventJson.read(
                EventJson.typeNamed(event.getClass().getSimpleName()),
                event.id().toString(),
                json.getBytes(UTF_8));
    }

    @Test
    void the_samples_are_of_all_types() {
        assertThat(ORDER_EVENTS.stream().map(Object::getClass))
                .containsExactlyInAnyOrder(OrderEvent.class.getPermittedSubclasses());
        assertThat(CUSTOMER_EVENTS.stream().map(Object::getClass))
                .containsExactlyInAnyOrder(CustomerEvent.class.getPermittedSubclasses());
    }

    @Test
    void an_erasure_is_a_record_without_a_value_and_nothing_else_is() throws IOException {
        var key = CUSTOMER.toString();
        var erased = new CustomerErased(CUSTOMER);

        assertThat(EventJson.write(erased)).isNull();
        assertThat(EventJson.read(CustomerErased.class, key, null)).isEqualTo(erased);
        assertThatThrownBy(() -> EventJson.read(CustomerErased.class, key, "{}".getBytes(UTF_8)))
                .isInstanceOf(IOException.class);
        assertThatThrownBy(() -> EventJson.read(CustomerRegistered.class, key, null))
                .isInstanceOf(IOException.class);
    }

    @Test
    void a_card_is_an_id_on_the_wire_which_readers_of_schema_1_must_leave_to_newer_ones() {
        assertThat(EventJson.write(PLACED_BY_CARD))
                .contains("\"paymentMethod\":\"CARD\",\"cardId\":\"" + CARD + "\",\"occurredAt\"");
        assertThat(Stream.of(PLACED_BY_CARD, RESERVED_BY_CARD).map(OrderEvent::schema))
                .containsOnly(EventJson.SCHEMA);
        assertThat(ORDER_EVENTS.stream().map(OrderEvent::schema))
                .as("what they can read, they get")
                .containsOnly(1);
    }

    @Test
    void a_token_of_the_release_before_is_handed_on_in_its_schema_and_not_printed() {
        assertThat(EventJson.write(PLACED_BY_TOKEN)).contains("\"paymentMethod\":\"CARD\",\"cardToken\":\"tok_ok\"");
        assertThat(PLACED_BY_TOKEN.schema()).isEqualTo(1);
        assertThat(PLACED_BY_TOKEN.toString()).doesNotContain("tok_ok");
    }

    @ParameterizedTest
    @ValueSource(strings = {"4242424242424242", "tok_4242424242424242", ""})
    void a_card_number_is_rejected_and_not_repeated(String number) {
        var json = EventJson.write(PLACED_BY_TOKEN).replace("tok_ok", number);

        assertThatThrownBy(() -> EventJson.read(OrderPlaced.class, json.getBytes(UTF_8)))
                .isInstanceOf(IOException.class)
                .hasMessageNotContaining("4242");
    }

    @Test
    void a_reader_ignores_fields_that_a_newer_writer_adds() throws IOException {
        var newer = PLACED_JSON.replace("\"status\"", "\"giftWrap\":{\"colour\":\"red\"},\"status\"");

        assertThat(EventJson.read(OrderPlaced.class, newer.getBytes(UTF_8))).isEqualTo(PLACED);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "null", "[]", "\"x\"", "{", "{}", "{}{}", "not json", "\u0000"})
    void what_is_no_event_is_rejected(String json) {
        assertThatThrownBy(() -> EventJson.read(OrderPlaced.class, json.getBytes(UTF_8)))
                .isInstanceOf(IOException.class);
    }

    @ParameterizedTest
    @CsvSource(delimiterString = "->", textBlock = """
            "quantity":2            -> "quantity":0
            "quantity":2            -> "quantity":1.5
            "quantity":2            -> "quantity":"2"
            "quantity":2            -> "quantity":null
            "quantity":2,           -> ''
            "quantity":2            -> "quantity":9223372036854775808
            "amount":3998           -> "amount":-1
            "amount":3998,          -> ''
            "currency":"EUR"        -> "currency":"eur"
            "currency":"EUR"        -> "currency":"XXX"
            "BALANCE"               -> "BARTER"
            "BALANCE"               -> "CARD"
            "BALANCE"               -> "BALANCE","cardToken":"tok_ok"
            "BALANCE"               -> "BALANCE","cardId":"0198c6a2-0000-7000-8000-00000000000c"
            "BALANCE"               -> "CARD","cardId":"tok_ok"
            "BALANCE"               -> "CARD","cardToken":"tok_ok","cardId":"0198c6a2-0000-7000-8000-00000000000c"
            "sku":"mug",            -> ''
            2026-11-23T10:15:30     -> yesterday
            "id":"0198c6a2          -> "id":"x198c6a2
            "status"                -> "paymentMethod":"BALANCE","status"
            """)
    void an_event_with_a_wrong_field_is_rejected(String right, String wrong) {
        var json = PLACED_JSON.replace(right, wrong);

        assertThat(json).isNotEqualTo(PLACED_JSON);
        assertThatThrownBy(() -> EventJson.read(OrderPlaced.class, json.getBytes(UTF_8)))
                .isInstanceOf(IOException.class);
    }

    @ParameterizedTest
    @CsvSource(delimiterString = "->", textBlock = """
            ada@example.org         -> ada
            +493012345678           -> 03012345678
            Ada Lovelace            -> ''
            "mail":"ada@example.org", -> ''
            2026-11-23T10:25:30.123Z -> soon
            "id":"0198c6a2-0000-7000-8000-000000000003", -> ''
            """)
    void an_event_of_a_customer_with_a_wrong_field_is_rejected_and_no_personal_data_repeated(
            String right, String wrong) {
        var json = REGISTERED_JSON.replace(right, wrong);

        assertThat(json).isNotEqualTo(REGISTERED_JSON);
        assertThatThrownBy(() -> EventJson.read(CustomerRegistered.class, json.getBytes(UTF_8)))
                .isInstanceOf(IOException.class)
                .message()
                .doesNotContainIgnoringCase("ada", "3012345678");
    }
}
