-- The read side: made from the topic alone, and from no table of the command side.

CREATE TABLE order_view (
    order_id       uuid        PRIMARY KEY,
    customer_id    uuid        NOT NULL,
    status         text        NOT NULL,
    reason         text,
    -- JSON as in the event; text, because it is handed on and never looked into.
    lines          text        NOT NULL,
    total          bigint      NOT NULL, -- minor units
    currency       text        NOT NULL,
    payment_method text        NOT NULL,
    placed_at      timestamptz NOT NULL,
    -- The highest version of order-service's own events that is in here: what a caller who wrote waits for.
    version        int         NOT NULL,
    events         int         NOT NULL
) WITH (fillfactor = 70);
-- Order ids are UUIDv7, so these page from the newest to the oldest.
CREATE INDEX order_view_by_customer ON order_view (customer_id, order_id);
CREATE INDEX order_view_by_status ON order_view (status, order_id);

CREATE TABLE order_view_event (
    order_id    uuid        NOT NULL,
    position    int         NOT NULL, -- 1, 2, 3 … in the order of the topic
    type        text        NOT NULL,
    status      text        NOT NULL,
    source      text        NOT NULL,
    version     int         NOT NULL,
    occurred_at timestamptz NOT NULL,
    partition   int         NOT NULL,
    "offset"    bigint      NOT NULL,
    PRIMARY KEY (order_id, position)
);
