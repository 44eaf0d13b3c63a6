-- The rest of the database inventory at commit ce37c1e (2026-11-29), like the shared part. Never edited.
INSERT INTO flyway_schema_history VALUES
    (2, '10', 'stock', 'SQL', 'db/migration/V10__stock.sql', -1567194056,
     'inventory_owner', now(), 20, true);
CREATE TABLE stock (
    sku       text   COLLATE "C" PRIMARY KEY CHECK (length(sku) BETWEEN 1 AND 64),
    available bigint NOT NULL CHECK (available >= 0),
    reserved  bigint NOT NULL DEFAULT 0 CHECK (reserved >= 0),
    sold      bigint NOT NULL DEFAULT 0 CHECK (sold >= 0)
) WITH (fillfactor = 50);
REVOKE DELETE, TRUNCATE ON stock FROM inventory_app;
CREATE TABLE reservation (
    order_id uuid  PRIMARY KEY,
    status   text  NOT NULL CHECK (status IN ('RESERVED', 'REJECTED', 'COMMITTED', 'RELEASED')),
    items    jsonb NOT NULL CHECK (jsonb_typeof(items) = 'array')
) WITH (fillfactor = 80);
REVOKE DELETE, TRUNCATE ON reservation FROM inventory_app;
INSERT INTO stock VALUES ('mug', 7, 1, 2);
INSERT INTO reservation VALUES
    ('01a20000-0000-7000-8000-000000000001', 'COMMITTED', '[{"sku":"mug","quantity":2}]');
