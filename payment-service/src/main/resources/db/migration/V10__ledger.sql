-- Every movement of money since the beginning. Accounts: bank (where deposits come from), merchant, customer:<uuid>, and
-- gateway, the payment gateway's: what it has captured from cards and owes us.
--
-- A transfer is one row that says from whom to whom, so its two entries (the view below) sum to zero in its one currency
-- whatever the application does: double entry by construction, as in TigerBeetle
-- (https://docs.tigerbeetle.com/coding/data-modeling/), with half the rows of a table of entries and no trigger to sum them.
CREATE TABLE transfer (
    -- Drawn under the lock on the customer's balance: a customer's transfers have the order in which they happened.
    id               bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind             text        NOT NULL,
    from_account     text        NOT NULL,
    to_account       text        NOT NULL,
    amount           bigint      NOT NULL CHECK (amount >= 0),
    currency         text        NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    order_id         uuid,
    -- What the customer has in this currency after it; nothing changes by what is paid by card.
    customer_balance bigint CHECK (customer_balance >= 0),
    -- Of a deposit: the key by which a repeated request is known.
    idempotency_key  text CHECK (length(idempotency_key) BETWEEN 1 AND 255),
    occurred_at      timestamptz NOT NULL,
    CONSTRAINT transfer_is_one_of_ours CHECK (
        CASE kind
            WHEN 'DEPOSIT' THEN from_account = 'bank' AND to_account ^@ 'customer:' AND order_id IS NULL
            WHEN 'CAPTURE' THEN (from_account = 'gateway' OR from_account ^@ 'customer:')
                AND to_account = 'merchant' AND order_id IS NOT NULL
            WHEN 'REFUND' THEN from_account = 'merchant'
                AND (to_account = 'gateway' OR to_account ^@ 'customer:') AND order_id IS NOT NULL
            ELSE false -- not null, which a check would let pass
        END),
    CONSTRAINT customers_have_balances CHECK (
        (customer_balance IS NOT NULL) = (from_account ^@ 'customer:' OR to_account ^@ 'customer:')),
    CONSTRAINT only_deposits_have_keys CHECK (idempotency_key IS NULL OR kind = 'DEPOSIT')
);

-- The last line, should all others fail: no order is captured or refunded twice, no request deposits twice.
CREATE UNIQUE INDEX transfer_once_per_order ON transfer (order_id, kind) WHERE order_id IS NOT NULL;
CREATE UNIQUE INDEX deposit_once_per_key ON transfer (to_account, idempotency_key) WHERE idempotency_key IS NOT NULL;

-- A customer's statement, newest first.
CREATE INDEX transfer_from ON transfer (from_account, id);
CREATE INDEX transfer_to ON transfer (to_account, id);

CREATE VIEW ledger_entry AS
SELECT id AS transfer, kind, from_account AS account, -amount AS amount, currency, order_id, occurred_at FROM transfer
UNION ALL
SELECT id, kind, to_account, amount, currency, order_id, occurred_at FROM transfer;

-- Nobody changes the past: the application may not, and the owner must mean it (and drop the trigger first).
REVOKE UPDATE, DELETE, TRUNCATE ON transfer FROM ${database}_app;
REVOKE INSERT, UPDATE, DELETE ON ledger_entry FROM ${database}_app;

CREATE FUNCTION refuse_to_change_the_ledger() RETURNS trigger
    LANGUAGE plpgsql AS
$$
BEGIN
    RAISE EXCEPTION 'the ledger is only ever added to: correct a transfer by another, not by %', TG_OP
        USING ERRCODE = 'restrict_violation';
END
$$;
CREATE TRIGGER ledger_is_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON transfer
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_to_change_the_ledger();
-- Also for a session that replays as a replica.
ALTER TABLE transfer ENABLE ALWAYS TRIGGER ledger_is_append_only;

-- What a customer can spend: the sum of the customer's entries, kept because captures must lock and check it. Only
-- customers have such a row. One for the merchant, or for the bank, would be in every transfer, and since a row's lock is
-- held until the commit is on disk, all payments of the system would queue for it; their sums come from the entries.
CREATE TABLE balance (
    customer_id uuid   NOT NULL,
    currency    text   NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    amount      bigint NOT NULL CHECK (amount >= 0),
    PRIMARY KEY (customer_id, currency)
) WITH (fillfactor = 70); -- Room for the next version of a row on its own page: then no index is touched.
REVOKE DELETE, TRUNCATE ON balance FROM ${database}_app;

-- What became of the payment of each order. By card it is also the queue of what the payment gateway is to be asked.
CREATE TABLE payment (
    order_id    uuid PRIMARY KEY,
    customer_id uuid        NOT NULL,
    status      text        NOT NULL CHECK (status IN
        ('REQUESTED', 'CAPTURED', 'DECLINED', 'CANCELLING', 'VOID', 'REFUNDING', 'REFUNDED')),
    amount      bigint CHECK (amount >= 0),
    currency    text CHECK (currency ~ '^[A-Z]{3}$'),
    -- What the gateway knows the card by; nobody has its number. Null when paid from the balance.
    card_token  text,
    reason      text,
    occurred_at timestamptz NOT NULL,
    -- How many events of it were published.
    version     int         NOT NULL CHECK (version >= 0),
    -- Of the event that began it: what the gateway says later is a step of the same trace.
    traceparent text,
    -- When the gateway may be asked. During an attempt: when another instance may take the one that asks for dead.
    due_at      timestamptz,
    -- Of the present question, including the one under way.
    attempts    int         NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    -- Why the last attempt did not settle it.
    error       text,
    -- An order cancelled before anybody told us what it costs has none.
    CONSTRAINT payment_has_an_amount CHECK (
        num_nonnulls(amount, currency) IN (0, 2) AND (amount IS NOT NULL OR status = 'VOID')),
    CONSTRAINT open_payments_are_due CHECK (
        (status IN ('REQUESTED', 'CANCELLING', 'REFUNDING')) = (due_at IS NOT NULL)),
    CONSTRAINT open_payments_are_by_card CHECK (due_at IS NULL OR card_token IS NOT NULL)
) WITH (fillfactor = 90);
-- As large as the backlog, not as the history.
CREATE INDEX payment_due ON payment (due_at) WHERE due_at IS NOT NULL;
REVOKE DELETE, TRUNCATE ON payment FROM ${database}_app;

-- What the payment gateway has told us by callback: each is here, once, before it is acknowledged.
CREATE TABLE gateway_callback (
    event_id    text PRIMARY KEY CHECK (length(event_id) BETWEEN 1 AND 64),
    order_id    uuid        NOT NULL REFERENCES payment,
    type        text        NOT NULL,
    -- Byte by byte as it was signed.
    body        bytea       NOT NULL CHECK (octet_length(body) <= 16384),
    received_at timestamptz NOT NULL
);
REVOKE UPDATE, DELETE, TRUNCATE ON gateway_callback FROM ${database}_app;
