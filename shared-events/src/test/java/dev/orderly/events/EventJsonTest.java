package dev.orderly.events;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.orderly.events.CustomerEvent.CodeRequested;
import dev.orderly.events.CustomerEvent.Contact;
import dev.orderly.events.CustomerEvent.CustomerErased;
import dev.orderly.events.CustomerEvent.CustomerRegistered;
import dev.orderly.events.CustomerEvent.CustomerVerified;
import dev.orderly.events.CustomerEvent.Verification;
import dev.orderly.events.OrderEvent.Line;
import dev.orderly.events.OrderEvent.OrderCancelled;
import dev.orderly.events.OrderEvent.OrderConfirmed;
import dev.orderly.events.OrderEvent.OrderPlaced;
import dev.orderly.events.OrderEvent.OrderRejected;
import dev.orderly.events.OrderEvent.PaymentCaptured;
import dev.orderly.events.OrderEvent.PaymentDeclined;
import dev.orderly.events.OrderEvent.PaymentRefunded;
import dev.orderly.events.OrderEvent.StockRejected;
import dev.orderly.events.OrderEvent.StockReserved;
import java.io.IOException;
import java.time.Instant;
import java.util.List;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class EventJsonTest {

    private static final UUID ID = UUID.fromString("0198c6a2-0000-7000-8000-000000000001");
    private static final UUID CUSTOMER = UUID.fromString("0198c6a2-0000-7000-8000-000000000002");
    private static final Money TOTAL = Money.of(3998, "EUR");
    private static final Instant NOW = Instant.parse("2026-11-23T10:15:30.123Z");
    private static final OrderPlaced PLACED = new OrderPlaced(
            ID, CUSTOMER, List.of(new Line("mug", 2, Money.of(1999, "EUR"))), TOTAL, PaymentMethod.BALANCE, null, NOW);
    private static final String PLACED_JSON = """
            {"id":"0198c6a2-0000-7000-8000-000000000001","status":"PENDING",\
            "customerId":"0198c6a2-0000-7000-8000-000000000002",\
            "lines":[{"sku":"mug","quantity":2,"unitPrice":{"amount":1999,"currency":"EUR"}}],\
            "total":{"amount":3998,"currency":"EUR"},"paymentMethod":"BALANCE",\
            "occurredAt":"2026-11-23T10:15:30.123Z"}""";

    private static final OrderPlaced BY_CARD =
            new OrderPlaced(ID, CUSTOMER, PLACED.lines(), TOTAL, PaymentMethod.CARD, new CardToken("tok_ok"), NOW);

    private static final Contact ADA = new Contact("Ada Lovelace", "ada@example.org", "+493012345678");
    private static final CustomerRegistered REGISTERED =
            new CustomerRegistered(CUSTOMER, ADA, new Verification(ID, NOW.plusSeconds(600)), NOW);
    private static final String REGISTERED_JSON = """
            {"id":"0198c6a2-0000-7000-8000-000000000002","status":"REGISTERED",\
            "contact":{"name":"Ada Lovelace","mail":"ada@example.org","phone":"+493012345678"},\
            "verification":{"id":"0198c6a2-0000-7000-8000-000000000001","expiresAt":"2026-11-23T10:25:30.123Z"},\
            "occurredAt":"2026-11-23T10:15:30.123Z"}""";

    static Stream<CustomerEvent> eventsOfCustomers() {
        return Stream.of(
                REGISTERED,
                new CodeRequested(CUSTOMER, ADA, REGISTERED.verification(), NOW),
                new CustomerVerified(CUSTOMER, ADA, NOW));
    }

    static Stream<OrderEvent> events() {
        return Stream.of(
                PLACED,
                BY_CARD,
                new StockReserved(ID, CUSTOMER, TOTAL, PaymentMethod.CARD, new CardToken("tok_ok"), NOW),
                new StockRejected(ID, List.of("mug"), NOW),
                new PaymentCaptured(ID, TOTAL, NOW),
                new PaymentDeclined(ID, "balance too low", NOW),
                new OrderConfirmed(ID, CUSTOMER, TOTAL, NOW),
                new OrderRejected(ID, CUSTOMER, "out of stock: mug", NOW),
                new OrderCancelled(ID, CUSTOMER, "cancelled by the customer", NOW),
                new PaymentRefunded(ID, TOTAL, NOW));
    }

    @Test
    void an_event_looks_on_the_wire_as_it_was_agreed() {
        assertThat(EventJson.write(PLACED)).isEqualTo(PLACED_JSON);
        assertThat(EventJson.write(REGISTERED)).isEqualTo(REGISTERED_JSON);
    }

    @ParameterizedTest
    @MethodSource("eventsOfCustomers")
    void an_event_of_a_customer_is_read_as_it_was_written_and_prints_nobody(CustomerEvent event) throws IOException {
        var type = EventJson.typeNamed(event.getClass().getSimpleName());

        assertThat(EventJson.read(type, EventJson.write(event).getBytes(UTF_8))).isEqualTo(event);
        assertThat(event.toString()).doesNotContain(ADA.name(), ADA.mail(), ADA.phone());
    }

    @Test
    void who_is_erased_is_a_record_without_a_value() {
        assertThat(EventJson.write(new CustomerErased(CUSTOMER))).isNull();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "ada@example.org -> ada",
                "+493012345678 -> 03012345678",
                "Ada Lovelace -> ",
                "\"mail\":\"ada@example.org\", -> ",
                "2026-11-23T10:25:30.123Z -> soon",
                "\"id\":\"0198c6a2-0000-7000-8000-000000000001\", -> ",
            })
    void an_event_of_a_customer_with_a_wrong_field_is_refused_and_the_person_not_named(String change) {
        var fromTo = change.split(" -> ", 2);
        var json = REGISTERED_JSON.replace(fromTo[0], fromTo[1]);

        assertThat(json).isNotEqualTo(REGISTERED_JSON);
        assertThatThrownBy(() -> EventJson.read(CustomerRegistered.class, json.getBytes(UTF_8)))
                .isInstanceOf(IOException.class)
                .message()
                .doesNotContainIgnoringCase("ada", "3012345678");
    }

    @Test
    void a_card_is_a_token_on_the_wire_and_nothing_where_an_event_is_printed() {
        assertThat(EventJson.write(BY_CARD)).contains("\"paymentMethod\":\"CARD\",\"cardToken\":\"tok_ok\"");
        assertThat(BY_CARD.toString()).doesNotContain("tok_ok");
    }

    @ParameterizedTest
    @ValueSource(strings = {"4242424242424242", "tok_4242424242424242", ""})
    void a_card_number_is_refused_and_not_repeated(String number) {
        var json = EventJson.write(BY_CARD).replace("tok_ok", number);

        assertThatThrownBy(() -> EventJson.read(OrderPlaced.class, json.getBytes(UTF_8)))
                .isInstanceOf(IOException.class)
                .hasMessageNotContaining("4242");
    }

    @ParameterizedTest
    @MethodSource("events")
    void every_event_starts_with_the_order_and_its_status_and_is_read_as_it_was_written(OrderEvent event)
            throws IOException {
        var json = EventJson.write(event);

        assertThat(json).startsWith("{\"id\":\"" + ID + "\",\"status\":\"" + event.status() + "\"");
        var type = EventJson.typeNamed(event.getClass().getSimpleName());
        assertThat(EventJson.read(type, json.getBytes(UTF_8))).isEqualTo(event);
    }

    @Test
    void all_events_are_tested_here() {
        assertThat(events().map(Object::getClass).distinct())
                .containsExactlyInAnyOrder(OrderEvent.class.getPermittedSubclasses());
        assertThat(Stream.concat(eventsOfCustomers().map(Object::getClass), Stream.of(CustomerErased.class)))
                .containsExactlyInAnyOrder(CustomerEvent.class.getPermittedSubclasses());
    }

    @Test
    void a_reader_ignores_fields_that_a_newer_writer_adds() throws IOException {
        var newer = PLACED_JSON.replace("\"status\"", "\"giftWrap\":{\"colour\":\"red\"},\"status\"");

        assertThat(EventJson.read(OrderPlaced.class, newer.getBytes(UTF_8))).isEqualTo(PLACED);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "null",
                "[]",
                "\"x\"",
                "{",
                "{}",
                "{}{}",
                "not json",
                "\u0000",
            })
    void what_is_no_event_is_refused(String json) {
        assertThatThrownBy(() -> EventJson.read(OrderPlaced.class, json.getBytes(UTF_8)))
                .isInstanceOf(IOException.class);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "\"quantity\":2 -> \"quantity\":0",
                "\"quantity\":2 -> \"quantity\":1.5",
                "\"quantity\":2 -> \"quantity\":\"2\"",
                "\"quantity\":2 -> \"quantity\":null",
                "\"quantity\":2, -> ",
                "\"quantity\":2 -> \"quantity\":9223372036854775808",
                "\"amount\":3998 -> \"amount\":-1",
                "\"amount\":3998, -> ",
                "\"currency\":\"EUR\" -> \"currency\":\"eur\"",
                "\"currency\":\"EUR\" -> \"currency\":\"XXX\"",
                "\"BALANCE\" -> \"BARTER\"",
                "\"BALANCE\" -> \"CARD\"",
                "\"BALANCE\" -> \"BALANCE\",\"cardToken\":\"tok_ok\"",
                "\"sku\":\"mug\", -> ",
                "2026-11-23T10:15:30.123Z -> yesterday",
                "\"id\":\"0198c6a2 -> \"id\":\"x198c6a2",
                "\"status\" -> \"paymentMethod\":\"BALANCE\",\"status\"",
            })
    void an_event_with_a_wrong_field_is_refused(String change) {
        var fromTo = change.split(" -> ", 2);
        var json = PLACED_JSON.replace(fromTo[0], fromTo[1]);

        assertThat(json).isNotEqualTo(PLACED_JSON);
        assertThatThrownBy(() -> EventJson.read(OrderPlaced.class, json.getBytes(UTF_8)))
                .isInstanceOf(IOException.class);
    }
}
