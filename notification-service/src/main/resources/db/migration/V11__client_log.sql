-- Log lines of clients, partitioned by the day of the broker's timestamp: dropped by the day, never deleted
-- by the row.
CREATE TABLE client_log (
    received_at timestamptz NOT NULL,
    -- Coordinates of the record on the topic.
    partition   int         NOT NULL,
    "offset"    bigint      NOT NULL,
    client_id   text        NOT NULL,
    at          timestamptz NOT NULL,
    level       text        NOT NULL CHECK (level IN ('TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR')),
    message     text        NOT NULL
) PARTITION BY RANGE (received_at);
CREATE TABLE client_log_default PARTITION OF client_log DEFAULT;
-- For the only query: the lines of a client by time. Each further index would make every line more expensive
-- to write.
CREATE INDEX client_log_by_client ON client_log (client_id, at);

-- Lines below these offsets are in client_log. If the topic is ever created again: TRUNCATE
-- client_log_progress.
CREATE TABLE client_log_progress (
    partition   int    PRIMARY KEY,
    next_offset bigint NOT NULL
) WITH (fillfactor = 50);

INSERT INTO retention VALUES ('client_log', 7);
SELECT maintain_partitions();

REVOKE UPDATE, DELETE, TRUNCATE ON client_log FROM ${database}_app;
