-- The rest of the database orders at commit ce37c1e (2026-11-29), like the shared part. Never edited.
INSERT INTO flyway_schema_history VALUES
    (2, '10', 'orders', 'SQL', 'db/migration/V10__orders.sql', 308670037,
     'orders_owner', now(), 20, true),
    (3, '11', 'order view', 'SQL', 'db/migration/V11__order_view.sql', 993508132,
     'orders_owner', now(), 20, true),
    (4, '12', 'customers', 'SQL', 'db/migration/V12__customers.sql', -250694069,
     'orders_owner', now(), 20, true),
    (5, '13', 'flash sales', 'SQL', 'db/migration/V13__flash_sales.sql', -1198346192,
     'orders_owner', now(), 20, true);
CREATE TABLE product (
    sku      text   PRIMARY KEY,
    name     text   NOT NULL,
    price    bigint NOT NULL CHECK (price >= 0),
    currency text   NOT NULL
);
CREATE TABLE orders (
    id             uuid        PRIMARY KEY,
    customer_id    uuid        NOT NULL,
    status         text        NOT NULL,
    reason         text,
    lines          text        NOT NULL,
    total          bigint      NOT NULL CHECK (total >= 0),
    currency       text        NOT NULL,
    payment_method text        NOT NULL,
    placed_at      timestamptz NOT NULL,
    version        int         NOT NULL CHECK (version > 0)
) WITH (fillfactor = 80);
CREATE INDEX orders_undecided ON orders (placed_at) WHERE status = 'PENDING';
CREATE TABLE idempotency_key (
    customer_id  uuid        NOT NULL,
    key          text        NOT NULL,
    request_hash bytea       NOT NULL,
    order_id     uuid        NOT NULL,
    used_at      timestamptz NOT NULL,
    PRIMARY KEY (customer_id, key)
);
CREATE TABLE order_view (
    order_id       uuid        PRIMARY KEY,
    customer_id    uuid        NOT NULL,
    status         text        NOT NULL,
    reason         text,
    lines          text        NOT NULL,
    total          bigint      NOT NULL,
    currency       text        NOT NULL,
    payment_method text        NOT NULL,
    placed_at      timestamptz NOT NULL,
    version        int         NOT NULL,
    events         int         NOT NULL
) WITH (fillfactor = 70);
CREATE INDEX order_view_by_customer ON order_view (customer_id, order_id);
CREATE INDEX order_view_by_status ON order_view (status, order_id);
CREATE TABLE order_view_event (
    order_id    uuid        NOT NULL,
    position    int         NOT NULL,
    type        text        NOT NULL,
    status      text        NOT NULL,
    source      text        NOT NULL,
    version     int         NOT NULL,
    occurred_at timestamptz NOT NULL,
    partition   int         NOT NULL,
    "offset"    bigint      NOT NULL,
    PRIMARY KEY (order_id, position)
);
CREATE TABLE order_view_next (LIKE order_view INCLUDING ALL) WITH (fillfactor = 70);
CREATE TABLE order_view_event_next (LIKE order_view_event INCLUDING ALL);
CREATE FUNCTION truncate_order_view_next() RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS
$$
    TRUNCATE order_view_next, order_view_event_next;
$$;
CREATE FUNCTION swap_order_view() RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS
$$
    ANALYZE order_view_next, order_view_event_next;
    ALTER TABLE order_view RENAME TO order_view_before;
    ALTER TABLE order_view_next RENAME TO order_view;
    ALTER TABLE order_view_before RENAME TO order_view_next;
    ALTER TABLE order_view_event RENAME TO order_view_event_before;
    ALTER TABLE order_view_event_next RENAME TO order_view_event;
    ALTER TABLE order_view_event_before RENAME TO order_view_event_next;
$$;
CREATE FUNCTION delete_order_view_rebuild_state(max_rows int) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS
$$
DECLARE
    deleted int;
BEGIN
    DELETE FROM parked_event WHERE consumer LIKE 'order-view-rebuild-%';
    DELETE FROM last_version
    WHERE ctid = ANY (ARRAY(SELECT ctid FROM last_version WHERE consumer LIKE 'order-view-rebuild-%' LIMIT max_rows));
    GET DIAGNOSTICS deleted = ROW_COUNT;
    RETURN deleted = max_rows;
END
$$;
CREATE TABLE customer (
    id                    uuid        PRIMARY KEY,
    status                text        NOT NULL CHECK (status IN ('REGISTERED', 'VERIFIED', 'ERASED')),
    name                  text,
    mail                  text,
    phone                 text,
    verification          uuid,
    code_hash             bytea,
    code_sent_at          timestamptz NOT NULL,
    tries_left            int         NOT NULL CHECK (tries_left >= 0),
    codes                 int         NOT NULL CHECK (codes > 0),
    codes_since           timestamptz NOT NULL,
    erased_at             timestamptz,
    tombstone_republished boolean     NOT NULL DEFAULT false,
    version               int         NOT NULL CHECK (version > 0),
    CHECK ((status = 'ERASED') = (erased_at IS NOT NULL)),
    CHECK (num_nonnulls(name, mail, phone, verification, code_hash) = CASE status WHEN 'ERASED' THEN 0 ELSE 5 END)
) WITH (fillfactor = 80);
CREATE INDEX customer_tombstones ON customer (erased_at) WHERE status = 'ERASED' AND NOT tombstone_republished;
CREATE TABLE registration_key (
    key         text PRIMARY KEY,
    customer_id uuid NOT NULL UNIQUE
);
CREATE TABLE flash_sale (
    id          text PRIMARY KEY,
    sku         text        NOT NULL,
    units       int         NOT NULL CHECK (units > 0),
    opens_at    timestamptz NOT NULL,
    closes_at   timestamptz NOT NULL CHECK (closes_at > opens_at),
    granted     int         NOT NULL DEFAULT 0 CHECK (granted BETWEEN 0 AND units),
    next_offset bigint      NOT NULL DEFAULT 0
);
REVOKE DELETE ON flash_sale FROM orders_app;
CREATE TABLE flash_sale_ticket (
    sale_id     text NOT NULL REFERENCES flash_sale,
    customer_id uuid NOT NULL,
    outcome     text NOT NULL CHECK (outcome IN ('ORDERED', 'SOLD_OUT', 'REFUSED')),
    order_id    uuid,
    PRIMARY KEY (sale_id, customer_id),
    CHECK ((outcome = 'ORDERED') = (order_id IS NOT NULL))
);
REVOKE UPDATE, DELETE ON flash_sale_ticket FROM orders_app;
INSERT INTO product VALUES ('mug', 'Mug', 1250, 'EUR');
INSERT INTO orders VALUES
    ('01a20000-0000-7000-8000-000000000001', '01a20000-0000-7000-8000-0000000000c1', 'CONFIRMED', NULL,
     '[{"sku":"mug","quantity":2,"price":{"amount":1250,"currency":"EUR"}}]', 2500, 'EUR', 'BALANCE', now(), 2);
INSERT INTO idempotency_key VALUES
    ('01a20000-0000-7000-8000-0000000000c1', 'cart-17', '\x0102', '01a20000-0000-7000-8000-000000000001', now());
INSERT INTO order_view VALUES
    ('01a20000-0000-7000-8000-000000000001', '01a20000-0000-7000-8000-0000000000c1', 'CONFIRMED', NULL,
     '[{"sku":"mug","quantity":2,"price":{"amount":1250,"currency":"EUR"}}]', 2500, 'EUR', 'BALANCE', now(), 2, 1);
INSERT INTO order_view_event VALUES
    ('01a20000-0000-7000-8000-000000000001', 1, 'OrderPlaced', 'PENDING', 'order-service', 1, now(), 0, 17);
INSERT INTO order_view_next SELECT * FROM order_view;
INSERT INTO order_view_event_next SELECT * FROM order_view_event;
INSERT INTO customer VALUES
    ('01a20000-0000-7000-8000-0000000000c1', 'VERIFIED', 'Ann', 'ann@shop.example', '+4915112345678',
     '01a20000-0000-7000-8000-0000000000a1', '\x01', now(), 5, 1, now(), NULL, false, 2),
    ('01a20000-0000-7000-8000-0000000000c2', 'ERASED', NULL, NULL, NULL,
     NULL, NULL, now(), 5, 1, now(), now(), true, 3);
INSERT INTO registration_key VALUES ('form-4711', '01a20000-0000-7000-8000-0000000000c1');
INSERT INTO flash_sale VALUES ('summer', 'mug', 10, now() - interval '2 h', now() - interval '1 h', 1, 2);
INSERT INTO flash_sale_ticket VALUES
    ('summer', '01a20000-0000-7000-8000-0000000000c1', 'ORDERED', '01a20000-0000-7000-8000-000000000001'),
    ('summer', '01a20000-0000-7000-8000-0000000000c2', 'SOLD_OUT', NULL);
