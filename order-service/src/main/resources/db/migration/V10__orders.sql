-- The command side.

CREATE TABLE product (
    sku      text   PRIMARY KEY,
    name     text   NOT NULL,
    price    bigint NOT NULL CHECK (price >= 0), -- minor units
    currency text   NOT NULL
);

CREATE TABLE orders (
    id             uuid        PRIMARY KEY,
    customer_id    uuid        NOT NULL,
    status         text        NOT NULL,
    reason         text,
    -- JSON as in the event; text, because it is handed on and never looked into.
    lines          text        NOT NULL,
    total          bigint      NOT NULL CHECK (total >= 0), -- minor units
    currency       text        NOT NULL,
    payment_method text        NOT NULL,
    placed_at      timestamptz NOT NULL,
    -- Of the last event that this service published about the order.
    version        int         NOT NULL CHECK (version > 0)
) WITH (fillfactor = 80);
-- Small, for few orders are undecided at a time: what the deadlines look through every second.
CREATE INDEX orders_undecided ON orders (placed_at) WHERE status = 'PENDING';

-- The key is the caller's, so it is unique only among the orders of one customer.
CREATE TABLE idempotency_key (
    customer_id  uuid        NOT NULL,
    key          text        NOT NULL,
    request_hash bytea       NOT NULL,
    order_id     uuid        NOT NULL,
    used_at      timestamptz NOT NULL,
    PRIMARY KEY (customer_id, key)
);
