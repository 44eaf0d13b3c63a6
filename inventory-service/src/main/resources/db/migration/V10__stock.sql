-- How much there is of each SKU. The rules are the application's; the checks are the last line: never less than nothing.
CREATE TABLE stock (
    -- In the order of its bytes, which is the same under every locale: pages go by it.
    sku       text   COLLATE "C" PRIMARY KEY CHECK (length(sku) BETWEEN 1 AND 64),
    available bigint NOT NULL CHECK (available >= 0),
    reserved  bigint NOT NULL DEFAULT 0 CHECK (reserved >= 0),
    sold      bigint NOT NULL DEFAULT 0 CHECK (sold >= 0)
-- Every batch updates the rows of popular SKUs. Half of each page is kept free for their next versions, and no index is on
-- what changes: so a version stays on its page (HOT), no index is touched, and the next reader tidies up behind it.
) WITH (fillfactor = 50);
REVOKE DELETE, TRUNCATE ON stock FROM ${database}_app;

-- What became of each order. Kept, so that an order that was given up before it was placed never takes anything.
CREATE TABLE reservation (
    order_id uuid  PRIMARY KEY,
    status   text  NOT NULL CHECK (status IN ('RESERVED', 'REJECTED', 'COMMITTED', 'RELEASED')),
    -- [{"sku": …, "quantity": …}], what is or was set aside. Within the row: written once, and only ever read as a whole.
    items    jsonb NOT NULL CHECK (jsonb_typeof(items) = 'array')
-- Room for the one change of status.
) WITH (fillfactor = 80);
REVOKE DELETE, TRUNCATE ON reservation FROM ${database}_app;
