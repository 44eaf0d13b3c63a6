-- What clients log. By the day on which it came, by the broker's clock: dropped by the day, and never deleted from.
CREATE TABLE client_log (
    received_at timestamptz NOT NULL,
    -- Of the topic: where the line was read.
    partition   int         NOT NULL,
    "offset"    bigint      NOT NULL,
    client_id   text        NOT NULL,
    at          timestamptz NOT NULL,
    level       text        NOT NULL CHECK (level IN ('TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR')),
    message     text        NOT NULL
) PARTITION BY RANGE (received_at);
CREATE TABLE client_log_default PARTITION OF client_log DEFAULT;
-- The one question that is asked: what a client said, and when. More indexes would cost each line more than it is worth.
CREATE INDEX client_log_of_client ON client_log (client_id, at);

-- Up to which offset the lines of each partition are kept. Should the topic ever be made anew: TRUNCATE it.
CREATE TABLE client_log_progress (
    partition   int    PRIMARY KEY,
    next_offset bigint NOT NULL
) WITH (fillfactor = 50);

INSERT INTO retention VALUES ('client_log', 7);
SELECT keep_partitions();

REVOKE UPDATE, DELETE, TRUNCATE ON client_log FROM ${database}_app;
