-- The stock of each SKU. The application has the rules; the checks are the last defence against overselling.
CREATE TABLE stock (
    -- In byte order, which is the same in every locale: pages depend on it.
    sku       text   COLLATE "C" PRIMARY KEY CHECK (length(sku) BETWEEN 1 AND 64),
    available bigint NOT NULL CHECK (available >= 0),
    reserved  bigint NOT NULL DEFAULT 0 CHECK (reserved >= 0),
    sold      bigint NOT NULL DEFAULT 0 CHECK (sold >= 0)
-- Every batch updates the rows of popular SKUs. Half of each page is kept free for new versions, and no index
-- is on what changes, so an update is HOT: it stays on its page and writes no index, and the next reader
-- prunes the old version.
) WITH (fillfactor = 50);
REVOKE DELETE, TRUNCATE ON stock FROM ${database}_app;

-- The reservation of each order. Never deleted, so that an event that arrives again, or late, has no effect.
CREATE TABLE reservation (
    order_id uuid  PRIMARY KEY,
    status   text  NOT NULL CHECK (status IN ('RESERVED', 'REJECTED', 'COMMITTED', 'RELEASED')),
    -- [{"sku": …, "quantity": …}], what is or was reserved. In the row: written once, always read as a whole.
    items    jsonb NOT NULL CHECK (jsonb_typeof(items) = 'array')
-- Free space for the one update of status.
) WITH (fillfactor = 80);
REVOKE DELETE, TRUNCATE ON reservation FROM ${database}_app;
