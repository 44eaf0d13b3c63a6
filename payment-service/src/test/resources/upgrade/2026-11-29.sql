-- The rest of the database payments at commit ce37c1e (2026-11-29), like the shared part. Never edited.
INSERT INTO flyway_schema_history VALUES
    (2, '10', 'ledger', 'SQL', 'db/migration/V10__ledger.sql', -586245716,
     'payments_owner', now(), 20, true);
CREATE TABLE transfer (
    id               bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind             text        NOT NULL,
    from_account     text        NOT NULL,
    to_account       text        NOT NULL,
    amount           bigint      NOT NULL CHECK (amount >= 0),
    currency         text        NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    order_id         uuid,
    customer_balance bigint CHECK (customer_balance >= 0),
    idempotency_key  text CHECK (length(idempotency_key) BETWEEN 1 AND 255),
    occurred_at      timestamptz NOT NULL,
    CONSTRAINT accounts_match_kind CHECK (
        CASE kind
            WHEN 'DEPOSIT' THEN from_account = 'bank' AND to_account ^@ 'customer:' AND order_id IS NULL
            WHEN 'CAPTURE' THEN (from_account = 'gateway' OR from_account ^@ 'customer:')
                AND to_account = 'merchant' AND order_id IS NOT NULL
            WHEN 'REFUND' THEN from_account = 'merchant'
                AND (to_account = 'gateway' OR to_account ^@ 'customer:') AND order_id IS NOT NULL
            ELSE false
        END),
    CONSTRAINT customer_transfers_have_balances CHECK (
        (customer_balance IS NOT NULL) = (from_account ^@ 'customer:' OR to_account ^@ 'customer:')),
    CONSTRAINT only_deposits_have_keys CHECK (idempotency_key IS NULL OR kind = 'DEPOSIT')
);
CREATE UNIQUE INDEX transfer_once_per_order ON transfer (order_id, kind) WHERE order_id IS NOT NULL;
CREATE UNIQUE INDEX deposit_once_per_key ON transfer (to_account, idempotency_key) WHERE idempotency_key IS NOT NULL;
CREATE INDEX transfer_from ON transfer (from_account, id);
CREATE INDEX transfer_to ON transfer (to_account, id);
CREATE VIEW ledger_entry AS
SELECT id AS transfer, kind, from_account AS account, -amount AS amount, currency, order_id, occurred_at FROM transfer
UNION ALL
SELECT id, kind, to_account, amount, currency, order_id, occurred_at FROM transfer;
REVOKE UPDATE, DELETE, TRUNCATE ON transfer FROM payments_app;
REVOKE INSERT, UPDATE, DELETE ON ledger_entry FROM payments_app;
CREATE FUNCTION reject_change_of_ledger() RETURNS trigger
    LANGUAGE plpgsql AS
$$
BEGIN
    RAISE EXCEPTION 'the ledger is append-only: correct a transfer by another transfer, not by %', TG_OP
        USING ERRCODE = 'restrict_violation';
END
$$;
CREATE TRIGGER ledger_is_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON transfer
    FOR EACH STATEMENT EXECUTE FUNCTION reject_change_of_ledger();
ALTER TABLE transfer ENABLE ALWAYS TRIGGER ledger_is_append_only;
CREATE TABLE balance (
    customer_id uuid   NOT NULL,
    currency    text   NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    amount      bigint NOT NULL CHECK (amount >= 0),
    PRIMARY KEY (customer_id, currency)
) WITH (fillfactor = 70);
REVOKE DELETE, TRUNCATE ON balance FROM payments_app;
CREATE TABLE payment (
    order_id    uuid PRIMARY KEY,
    customer_id uuid        NOT NULL,
    status      text        NOT NULL CHECK (status IN
        ('REQUESTED', 'CAPTURED', 'DECLINED', 'CANCELLING', 'VOID', 'REFUNDING', 'REFUNDED')),
    amount      bigint CHECK (amount >= 0),
    currency    text CHECK (currency ~ '^[A-Z]{3}$'),
    card_token  text,
    reason      text,
    occurred_at timestamptz NOT NULL,
    version     int         NOT NULL CHECK (version >= 0),
    traceparent text,
    due_at      timestamptz,
    attempts    int         NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    error       text,
    CONSTRAINT payment_has_an_amount CHECK (
        num_nonnulls(amount, currency) IN (0, 2) AND (amount IS NOT NULL OR status = 'VOID')),
    CONSTRAINT open_payments_are_due CHECK (
        (status IN ('REQUESTED', 'CANCELLING', 'REFUNDING')) = (due_at IS NOT NULL)),
    CONSTRAINT open_payments_are_by_card CHECK (due_at IS NULL OR card_token IS NOT NULL)
) WITH (fillfactor = 90);
CREATE INDEX payment_due ON payment (due_at) WHERE due_at IS NOT NULL;
REVOKE DELETE, TRUNCATE ON payment FROM payments_app;
CREATE TABLE gateway_callback (
    event_id    text PRIMARY KEY CHECK (length(event_id) BETWEEN 1 AND 64),
    order_id    uuid        NOT NULL REFERENCES payment,
    type        text        NOT NULL,
    body        bytea       NOT NULL CHECK (octet_length(body) <= 16384),
    received_at timestamptz NOT NULL
);
REVOKE UPDATE, DELETE, TRUNCATE ON gateway_callback FROM payments_app;
INSERT INTO transfer (kind, from_account, to_account, amount, currency, order_id, customer_balance,
                      idempotency_key, occurred_at) VALUES
    ('DEPOSIT', 'bank', 'customer:01a20000-0000-7000-8000-0000000000c1', 5000, 'EUR', NULL, 5000, 'd-1', now()),
    ('CAPTURE', 'customer:01a20000-0000-7000-8000-0000000000c1', 'merchant', 2500, 'EUR',
     '01a20000-0000-7000-8000-000000000001', 2500, NULL, now());
INSERT INTO balance VALUES ('01a20000-0000-7000-8000-0000000000c1', 'EUR', 2500);
INSERT INTO payment (order_id, customer_id, status, amount, currency, card_token, occurred_at, version) VALUES
    ('01a20000-0000-7000-8000-000000000001', '01a20000-0000-7000-8000-0000000000c1', 'CAPTURED', 2500, 'EUR',
     NULL, now(), 1),
    ('01a20000-0000-7000-8000-000000000002', '01a20000-0000-7000-8000-0000000000c1', 'CAPTURED', 100, 'EUR',
     'tok_ok', now(), 1);
INSERT INTO gateway_callback VALUES
    ('evt_1', '01a20000-0000-7000-8000-000000000002', 'payment.captured', '\x7b7d', now());
