-- Few units for many buyers. The topic flash-sale-intake decides who comes first; the outcome is here.
CREATE TABLE flash_sale (
    id          text PRIMARY KEY,
    sku         text        NOT NULL,
    units       int         NOT NULL CHECK (units > 0),
    opens_at    timestamptz NOT NULL,
    closes_at   timestamptz NOT NULL CHECK (closes_at > opens_at),
    granted     int         NOT NULL DEFAULT 0 CHECK (granted BETWEEN 0 AND units),
    -- In the sale's partition of that topic: all buyers before it are decided.
    next_offset bigint      NOT NULL DEFAULT 0
);
REVOKE DELETE ON flash_sale FROM ${database}_app;

-- One for each customer and sale, however often they asked and however often it was delivered.
CREATE TABLE flash_sale_ticket (
    sale_id     text NOT NULL REFERENCES flash_sale,
    customer_id uuid NOT NULL,
    outcome     text NOT NULL CHECK (outcome IN ('ORDERED', 'SOLD_OUT', 'REFUSED')),
    order_id    uuid,
    PRIMARY KEY (sale_id, customer_id),
    CHECK ((outcome = 'ORDERED') = (order_id IS NOT NULL))
);
REVOKE UPDATE, DELETE ON flash_sale_ticket FROM ${database}_app;
