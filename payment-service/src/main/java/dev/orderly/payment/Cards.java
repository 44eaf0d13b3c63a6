package dev.orderly.payment;

import dev.orderly.database.DeferredWrites;
import dev.orderly.database.Rows;
import dev.orderly.database.UuidV7;
import dev.orderly.events.CardToken;
import dev.orderly.http.IdempotencyKey;
import jakarta.enterprise.context.ApplicationScoped;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.function.Function;
import javax.sql.DataSource;

/** The cards that customers have left; retention deletes them when they expire, by the database's clock. */
@ApplicationScoped
class Cards {

    /** Who leaves a card is about to place an order. */
    static final Duration VALIDITY = Duration.ofDays(1);

    // The update changes nothing, but makes a repetition wait for the first request, and find its row.
    private static final String ADD = """
            INSERT INTO card (id, customer_id, token, key_hash, request_hash, expires_at)
            VALUES (?, ?, ?, ?, ?, now() + ? * interval '1 ms')
            ON CONFLICT (customer_id, key_hash) DO UPDATE SET key_hash = EXCLUDED.key_hash
            RETURNING id, expires_at, request_hash = ? AS same_request
            """;

    private final DataSource database;
    private final DeferredWrites writes;

    Cards(DataSource database, DeferredWrites writes) {
        this.database = database;
        this.writes = writes;
    }

    /** What the customer gets for a card: by the id an order names it. */
    record LeftCard(UUID id, UUID customerId, Instant expiresAt) {}

    /** Keeps a card for an order; empty when the key was used for another card. */
    Optional<LeftCard> add(UUID customerId, CardToken token, String key) throws SQLException {
        var requestHash = IdempotencyKey.hash(token.value());
        try (var connection = database.getConnection();
                var insert = connection.prepareStatement(ADD)) {
            insert.setObject(1, UuidV7.next());
            insert.setObject(2, customerId);
            insert.setString(3, token.value());
            insert.setBytes(4, IdempotencyKey.hash(key));
            insert.setBytes(5, requestHash);
            insert.setLong(6, VALIDITY.toMillis());
            insert.setBytes(7, requestHash);
            try (var row = insert.executeQuery()) {
                row.next();
                return row.getBoolean("same_request")
                        ? Optional.of(new LeftCard(
                                row.getObject("id", UUID.class),
                                customerId,
                                row.getObject("expires_at", OffsetDateTime.class)
                                        .toInstant()))
                        : Optional.empty();
            }
        }
    }

    /** Those of the cards that exist, locked until the current transaction ends. */
    Map<UUID, Card> lock(Set<UUID> ids) throws SQLException {
        var cards = new HashMap<UUID, Card>();
        if (ids.isEmpty()) {
            return cards;
        }
        // Sorted, so that two transactions wait for each other instead of deadlocking.
        try (var connection = database.getConnection();
                var select = connection.prepareStatement("""
                        SELECT id, customer_id, token, expires_at <= now() AS expired
                        FROM card WHERE id = ANY (?::uuid[]) ORDER BY id FOR UPDATE
                        """)) {
            select.setObject(1, ids.toArray(UUID[]::new));
            try (var rows = select.executeQuery()) {
                while (rows.next()) {
                    var token = rows.getString("token");
                    var card = new Card(
                            rows.getObject("id", UUID.class),
                            rows.getObject("customer_id", UUID.class),
                            token == null ? null : new CardToken(token),
                            rows.getBoolean("expired"));
                    cards.put(card.id(), card);
                }
            }
            return cards;
        }
    }

    /** Erases the tokens of cards that the current transaction has locked: their payments have them now. */
    void claim(Collection<UUID> ids) {
        Rows.of(ids)
                .uuid("id", Function.identity())
                .updateEachLater(writes, "UPDATE card SET token = NULL FROM :rows WHERE card.id = rows.id");
    }
}
