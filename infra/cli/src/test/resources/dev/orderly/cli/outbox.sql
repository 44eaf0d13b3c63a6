-- As the migrations of a service make it, as far as a relay needs it.
CREATE TABLE outbox (
    seq bigint GENERATED ALWAYS AS IDENTITY, id uuid NOT NULL DEFAULT uuidv7(),
    topic text NOT NULL, key text NOT NULL, type text NOT NULL, source text NOT NULL,
    version int NOT NULL, schema int NOT NULL, payload text NOT NULL, traceparent text,
    consumer text, reason text, origin text,
    recorded_at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (recorded_at, seq)
) PARTITION BY RANGE (recorded_at);
CREATE TABLE outbox_default PARTITION OF outbox DEFAULT;
GRANT SELECT ON outbox TO ${database}_relay;
CREATE PUBLICATION outbox FOR TABLE outbox WITH (publish = 'insert', publish_via_partition_root = true);
