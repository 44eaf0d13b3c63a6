-- The tables that make events reliable, the same in every service's database.

-- The events that this service publishes. The relay reads them from the write-ahead log; the rows stay for some days, so
-- that the auditor can compare them with the topics.
CREATE TABLE outbox (
    seq         bigint GENERATED ALWAYS AS IDENTITY,
    id          uuid        NOT NULL DEFAULT uuidv7(),
    topic       text        NOT NULL
        CHECK (topic IN ('order-service', 'order-service.dlq', 'customer-service', 'outbox-heartbeat')),
    key         text        NOT NULL CHECK (key <> ''),
    type        text        NOT NULL CHECK (type <> ''),
    source      text        NOT NULL CHECK (source <> ''),
    version     int         NOT NULL CHECK (version > 0),
    schema      int         NOT NULL CHECK (schema > 0),
    -- Text, not jsonb, which would reorder the fields. The limit, in bytes, is well below that of the topic. NULL is a
    -- tombstone, or what an erasure left of the earlier events of its key.
    payload     text        CHECK (octet_length(payload) BETWEEN 2 AND 262144),
    traceparent text,
    -- Of a dead letter only: the consumer group, the reason, and the coordinates of the record.
    consumer    text,
    reason      text,
    origin      text,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (recorded_at, seq),
    CHECK (payload IS NOT NULL OR topic = 'customer-service')
) PARTITION BY RANGE (recorded_at);

-- The keys of the erasable topic, see dev.orderly.events.Topic.
CREATE INDEX outbox_erasable_key ON outbox (key) WHERE topic = 'customer-service';

-- The auditor goes from one heartbeat to the next.
CREATE INDEX outbox_heartbeat ON outbox (recorded_at) WHERE topic = 'outbox-heartbeat';

-- The events that each consumer group of this service has seen. The day is that of the event's id.
CREATE TABLE inbox (
    event_day date NOT NULL,
    consumer  text NOT NULL,
    event_id  uuid NOT NULL,
    PRIMARY KEY (event_day, consumer, event_id)
) PARTITION BY RANGE (event_day);

-- A day without a partition of its own is stored all the same.
CREATE TABLE outbox_default PARTITION OF outbox DEFAULT;
CREATE TABLE inbox_default PARTITION OF inbox DEFAULT;

-- The last version of each aggregate and source that a consumer group has applied; never deleted.
CREATE TABLE last_version (
    consumer     text NOT NULL,
    aggregate_id uuid NOT NULL,
    source       text NOT NULL,
    version      int  NOT NULL,
    PRIMARY KEY (consumer, aggregate_id, source)
) WITH (fillfactor = 80);

-- Events that could not take effect, and the later ones of the same key.
CREATE TABLE parked_event (
    -- The order in which the events of a key are to take effect.
    seq             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    consumer        text        NOT NULL,
    event_id        uuid        NOT NULL,
    topic           text        NOT NULL,
    partition       int         NOT NULL,
    "offset"        bigint      NOT NULL,
    key             text,
    type            text,
    source          text,
    version         int,
    headers         text[]      NOT NULL,
    payload         bytea,
    reason          text        NOT NULL CHECK (reason IN ('UNREADABLE', 'FAILED', 'GAP', 'BEHIND')),
    detail          text,
    attempts        int         NOT NULL DEFAULT 0,
    -- NULL after the last retry.
    next_attempt_at timestamptz,
    -- An operator has decided that the missing events before this one will not come.
    gap_accepted    boolean     NOT NULL DEFAULT false,
    parked_at       timestamptz NOT NULL,
    UNIQUE (consumer, event_id)
);
CREATE INDEX parked_event_by_key ON parked_event (consumer, key, seq);
CREATE INDEX parked_event_due ON parked_event (consumer, next_attempt_at);

-- What operators did to parked events, with a copy of the event.
CREATE TABLE parked_event_audit (
    done_at  timestamptz NOT NULL DEFAULT now(),
    action   text        NOT NULL CHECK (action IN ('REDRIVE', 'DISCARD')),
    operator text        NOT NULL,
    why      text        NOT NULL,
    event    jsonb       NOT NULL
);

-- How far the auditor has compared the outbox with the topics: rows recorded before audited_until have arrived, and of the
-- later ones those in seen.
CREATE TABLE outbox_audit (
    singleton     boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    audited_until timestamptz    NOT NULL DEFAULT now(),
    seen          int8multirange NOT NULL DEFAULT '{}'
);
INSERT INTO outbox_audit DEFAULT VALUES;

-- Retention, in days, of the tables that are partitioned by day. The outbox outlives the longest outage of the relay; the
-- inbox must outlive the topic (7 days) plus any outage, or an event delivered late would take effect again.
CREATE TABLE retention (
    parent text PRIMARY KEY,
    days   int NOT NULL CHECK (days > 0)
);
INSERT INTO retention VALUES ('outbox', 3), ('inbox', 15);

-- Creates the partitions of the coming days, and drops those past their retention.
CREATE FUNCTION maintain_partitions() RETURNS void
    LANGUAGE plpgsql
    -- With the owner's rights: the application may neither create nor drop tables by itself.
    SECURITY DEFINER SET search_path = public, pg_temp SET timezone = 'UTC' AS
$$
DECLARE
    today       date := current_date;
    partitioned record;
    day         date;
    expired     text;
BEGIN
    -- One instance at a time; the others have nothing to add.
    IF NOT pg_try_advisory_xact_lock(hashtextextended('maintain_partitions', 0)) THEN
        RETURN;
    END IF;
    -- The inbox before the outbox, as handlers lock them: in the opposite order, each could wait for the other.
    FOR partitioned IN SELECT * FROM retention ORDER BY parent LOOP
        FOR day IN SELECT generate_series(today - 1, today + 7, '1 day')::date LOOP
            IF to_regclass(partitioned.parent || to_char(day, '_YYYYMMDD')) IS NULL THEN
                BEGIN
                    EXECUTE format('CREATE TABLE %I PARTITION OF %I FOR VALUES FROM (%L) TO (%L)',
                                   partitioned.parent || to_char(day, '_YYYYMMDD'), partitioned.parent, day, day + 1);
                EXCEPTION WHEN check_violation THEN
                    RAISE WARNING 'rows of % are in the default partition of %, where they stay',
                        day, partitioned.parent;
                END;
            END IF;
        END LOOP;
        FOR expired IN
            SELECT child.relname
            FROM pg_inherits
            JOIN pg_class child ON child.oid = inhrelid
            WHERE inhparent = partitioned.parent::regclass
              AND child.relname ~ '_\d{8}$'
              AND to_date(right(child.relname, 8), 'YYYYMMDD') < today - partitioned.days
        LOOP
            EXECUTE format('DROP TABLE %I', expired);
        END LOOP;
    END LOOP;
END
$$;
SELECT maintain_partitions();

-- The relay does not publish this: the publication is of inserts alone.
CREATE FUNCTION erase_from_outbox(erased_key text) RETURNS void
    LANGUAGE sql
    -- With the owner's rights: the application may not update its outbox by itself.
    SECURITY DEFINER SET search_path = public, pg_temp AS
$$
    UPDATE outbox SET payload = NULL WHERE topic = 'customer-service' AND key = erased_key AND payload IS NOT NULL
$$;

-- The application adds to the outbox and to the inbox; it has no need to update or delete.
REVOKE ALL ON FUNCTION erase_from_outbox(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION erase_from_outbox(text) TO ${database}_app;
REVOKE ALL ON FUNCTION maintain_partitions() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION maintain_partitions() TO ${database}_app;
REVOKE UPDATE, DELETE, TRUNCATE ON outbox, inbox, parked_event_audit FROM ${database}_app;
REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON retention FROM ${database}_app;
REVOKE DELETE, TRUNCATE ON last_version, outbox_audit FROM ${database}_app;
GRANT SELECT ON outbox TO ${database}_relay;

-- Before the slot, which afterMigrate.sql creates: a slot cannot decode what precedes its publication. Through the root, so
-- that the relay sees one table and new partitions need no grant.
CREATE PUBLICATION outbox FOR TABLE outbox WITH (publish = 'insert', publish_via_partition_root = true);
