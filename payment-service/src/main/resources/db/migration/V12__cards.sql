-- The cards that customers leave, each for one order. Orders and their events name a card by its id: the token by which the
-- gateway charges it is in this database alone.
CREATE TABLE card (
    id           uuid PRIMARY KEY,
    customer_id  uuid        NOT NULL,
    -- Null when an order has taken the card. Then its token is in the payment of that order.
    token        text,
    -- SHA-256 of the Idempotency-Key, which is unique only among those of one customer, and of the token it was used for.
    key_hash     bytea       NOT NULL CHECK (octet_length(key_hash) = 32),
    request_hash bytea       NOT NULL CHECK (octet_length(request_hash) = 32),
    expires_at   timestamptz NOT NULL,
    UNIQUE (customer_id, key_hash)
);
REVOKE DELETE, TRUNCATE ON card FROM ${database}_app;
-- By block ranges, since rows come in the order of time: next to nothing to write.
CREATE INDEX card_by_age ON card USING brin (expires_at);

-- A payment keeps how it was paid, and its token only until it has been settled for a day. Until then an instance of the
-- version before finds all it knows; it takes a payment without a token for one from the balance.
ALTER TABLE payment
    ADD COLUMN by_card boolean NOT NULL DEFAULT false,
    DROP CONSTRAINT open_payments_are_by_card,
    -- Not validated: the old check has held for all rows, and reading them again would only hold up writers.
    ADD CONSTRAINT open_payments_are_by_card CHECK (due_at IS NULL OR by_card OR card_token IS NOT NULL) NOT VALID,
    ADD CONSTRAINT captures_need_a_token CHECK (status <> 'REQUESTED' OR card_token IS NOT NULL) NOT VALID;
-- Partial: as large as the payments of two days, not the history.
CREATE INDEX payment_card_token ON payment (occurred_at) WHERE card_token IS NOT NULL;

INSERT INTO row_retention (relation, days, condition, change) VALUES
    -- At once, by the clock that says whether an order may still take it.
    ('card', 1, 'expires_at < now()', 'DELETE'),
    ('payment', 1, 'card_token IS NOT NULL AND due_at IS NULL AND occurred_at < $1',
     'UPDATE SET card_token = NULL, by_card = true');
