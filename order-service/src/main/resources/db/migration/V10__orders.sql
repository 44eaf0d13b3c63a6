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
    -- JSON as in the event; text, because no query looks into it.
    lines          text        NOT NULL,
    total          bigint      NOT NULL CHECK (total >= 0), -- minor units
    currency       text        NOT NULL,
    payment_method text        NOT NULL,
    placed_at      timestamptz NOT NULL,
    -- That of the last event that this service published about the order.
    version        int         NOT NULL CHECK (version > 0)
) WITH (fillfactor = 80);
-- Small, because few orders are undecided at a time: the timeouts scan it every second.
CREATE INDEX orders_undecided ON orders (placed_at) WHERE status = 'PENDING';

-- The caller chooses the key, so it is unique only among the orders of one customer.
CREATE TABLE idempotency_key (
    customer_id  uuid        NOT NULL,
    key          text        NOT NULL,
    request_hash bytea       NOT NULL,
    order_id     uuid        NOT NULL,
    used_at      timestamptz NOT NULL,
    PRIMARY KEY (customer_id, key)
);
