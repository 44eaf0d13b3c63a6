-- What clerks have changed under an idempotency key, so that a repeated request changes nothing and gets the same answer.
-- Kept: a row for each of them is little, and a repetition may come late.
CREATE TABLE restock (
    sku         text        COLLATE "C" NOT NULL,
    -- Its hash.
    key         bytea       NOT NULL CHECK (octet_length(key) = 32),
    kind        text        NOT NULL CHECK (kind IN ('COUNT', 'DELIVERY')),
    quantity    bigint      NOT NULL CHECK (quantity >= 0),
    -- The stock after it.
    available   bigint      NOT NULL,
    reserved    bigint      NOT NULL,
    sold        bigint      NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (sku, key)
);
REVOKE UPDATE, DELETE, TRUNCATE ON restock FROM ${database}_app;
