-- Every movement of money. Accounts: bank (the source of deposits), merchant, customer:<uuid>, and gateway:
-- what the payment gateway has captured from cards and owes the merchant.
--
-- A transfer is one row with both accounts, so its two entries (the view below) sum to zero in its one
-- currency whatever the application does: double entry by construction, as in TigerBeetle
-- (https://docs.tigerbeetle.com/coding/data-modeling/), with half the rows of a table of entries and no
-- trigger that sums them.
CREATE TABLE transfer (
    -- Generated under the lock on the customer's balance: a customer's transfers are in commit order.
    id               bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind             text        NOT NULL,
    from_account     text        NOT NULL,
    to_account       text        NOT NULL,
    amount           bigint      NOT NULL CHECK (amount >= 0),
    currency         text        NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    order_id         uuid,
    -- The customer's balance in this currency after the transfer; null when the payer is the gateway.
    customer_balance bigint CHECK (customer_balance >= 0),
    -- Of a deposit: identifies repetitions of its request.
    idempotency_key  text CHECK (length(idempotency_key) BETWEEN 1 AND 255),
    occurred_at      timestamptz NOT NULL,
    CONSTRAINT accounts_match_kind CHECK (
        CASE kind
            WHEN 'DEPOSIT' THEN from_account = 'bank' AND to_account ^@ 'customer:' AND order_id IS NULL
            WHEN 'CAPTURE' THEN (from_account = 'gateway' OR from_account ^@ 'customer:')
                AND to_account = 'merchant' AND order_id IS NOT NULL
            WHEN 'REFUND' THEN from_account = 'merchant'
                AND (to_account = 'gateway' OR to_account ^@ 'customer:') AND order_id IS NOT NULL
            ELSE false -- Not null, which would pass the check.
        END),
    CONSTRAINT customer_transfers_have_balances CHECK (
        (customer_balance IS NOT NULL) = (from_account ^@ 'customer:' OR to_account ^@ 'customer:')),
    CONSTRAINT only_deposits_have_keys CHECK (idempotency_key IS NULL OR kind = 'DEPOSIT')
);

-- The last defence: no order is captured or refunded twice, and no key deposits twice, whatever the
-- application does.
CREATE UNIQUE INDEX transfer_once_per_order ON transfer (order_id, kind) WHERE order_id IS NOT NULL;
CREATE UNIQUE INDEX deposit_once_per_key ON transfer (to_account, idempotency_key) WHERE idempotency_key IS NOT NULL;

-- A customer's statement, newest first.
CREATE INDEX transfer_from ON transfer (from_account, id);
CREATE INDEX transfer_to ON transfer (to_account, id);

CREATE VIEW ledger_entry AS
SELECT id AS transfer, kind, from_account AS account, -amount AS amount, currency, order_id, occurred_at FROM transfer
UNION ALL
SELECT id, kind, to_account, amount, currency, order_id, occurred_at FROM transfer;

-- Append-only: the application has no grant to change a row, and the owner would have to drop a trigger.
REVOKE UPDATE, DELETE, TRUNCATE ON transfer FROM ${database}_app;
REVOKE INSERT, UPDATE, DELETE ON ledger_entry FROM ${database}_app;

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
-- Also in sessions with session_replication_role = replica.
ALTER TABLE transfer ENABLE ALWAYS TRIGGER ledger_is_append_only;

-- What a customer can spend: the sum of the customer's entries, stored because captures must lock and check
-- it. Only customers have such a row. A row of the merchant or the bank would be updated by every transfer,
-- and since a row lock is held until the commit is on disk, all payments would wait for it; their balances
-- are computed from the entries.
CREATE TABLE balance (
    customer_id uuid   NOT NULL,
    currency    text   NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    amount      bigint NOT NULL CHECK (amount >= 0),
    PRIMARY KEY (customer_id, currency)
-- Free space for HOT updates: the new version of a row stays on its page, and no index is written.
) WITH (fillfactor = 70);
REVOKE DELETE, TRUNCATE ON balance FROM ${database}_app;

-- The payment of each order; the open ones are also the queue of calls to the payment gateway.
CREATE TABLE payment (
    order_id    uuid PRIMARY KEY,
    customer_id uuid        NOT NULL,
    status      text        NOT NULL CHECK (status IN
        ('REQUESTED', 'CAPTURED', 'DECLINED', 'CANCELLING', 'VOID', 'REFUNDING', 'REFUNDED')),
    amount      bigint CHECK (amount >= 0),
    currency    text CHECK (currency ~ '^[A-Z]{3}$'),
    -- Identifies the card at the gateway; its number is not stored. Null when paid from the balance.
    card_token  text,
    reason      text,
    occurred_at timestamptz NOT NULL,
    -- How many events were published about it.
    version     int         NOT NULL CHECK (version >= 0),
    -- Of the event that created it: the gateway's result continues the same trace.
    traceparent text,
    -- When the next call is due. During an attempt: when its lease expires.
    due_at      timestamptz,
    -- Calls since it entered its status, including the running one.
    attempts    int         NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    -- Why the last attempt failed.
    error       text,
    -- The amount is unknown when the order was cancelled before its stock was reserved.
    CONSTRAINT payment_has_an_amount CHECK (
        num_nonnulls(amount, currency) IN (0, 2) AND (amount IS NOT NULL OR status = 'VOID')),
    CONSTRAINT open_payments_are_due CHECK (
        (status IN ('REQUESTED', 'CANCELLING', 'REFUNDING')) = (due_at IS NOT NULL)),
    CONSTRAINT open_payments_are_by_card CHECK (due_at IS NULL OR card_token IS NOT NULL)
) WITH (fillfactor = 90);
-- Partial: as large as the backlog, not the history.
CREATE INDEX payment_due ON payment (due_at) WHERE due_at IS NOT NULL;
REVOKE DELETE, TRUNCATE ON payment FROM ${database}_app;

-- The callbacks of the payment gateway: each is stored, once, before it is acknowledged.
CREATE TABLE gateway_callback (
    event_id    text PRIMARY KEY CHECK (length(event_id) BETWEEN 1 AND 64),
    order_id    uuid        NOT NULL REFERENCES payment,
    type        text        NOT NULL,
    -- The exact bytes that were signed.
    body        bytea       NOT NULL CHECK (octet_length(body) <= 16384),
    received_at timestamptz NOT NULL
);
REVOKE UPDATE, DELETE, TRUNCATE ON gateway_callback FROM ${database}_app;
