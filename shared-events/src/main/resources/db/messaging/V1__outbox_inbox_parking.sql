-- The tables that make events reliable, the same in every service's database.

-- What this service publishes. The relay reads it from the write-ahead log; the rows stay for a while so that an auditor
-- can compare them with the topic.
CREATE TABLE outbox (
    seq         bigint GENERATED ALWAYS AS IDENTITY,
    id          uuid        NOT NULL DEFAULT uuidv7(),
    topic       text        NOT NULL
        CHECK (topic IN ('order-service', 'order-service.dlq', 'customer-service', 'relay-canary')),
    key         text        NOT NULL CHECK (key <> ''),
    type        text        NOT NULL CHECK (type <> ''),
    source      text        NOT NULL CHECK (source <> ''),
    version     int         NOT NULL CHECK (version > 0),
    schema      int         NOT NULL CHECK (schema > 0),
    -- Text, not jsonb, which would reorder the fields. The limit, in bytes, is well below the topic's. NULL is a tombstone,
    -- or what an erasure left of the earlier events of its key.
    payload     text        CHECK (octet_length(payload) BETWEEN 2 AND 262144),
    traceparent text,
    -- Of a dead letter only: whose, why, and where the event was read.
    consumer    text,
    reason      text,
    origin      text,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (recorded_at, seq),
    CHECK (payload IS NOT NULL OR topic = 'customer-service')
) PARTITION BY RANGE (recorded_at);
-- The keys of the erasable topic, see dev.orderly.events.Topic.
CREATE INDEX outbox_erasable_key ON outbox (key) WHERE topic = 'customer-service';

-- From one to the next goes the auditor.
CREATE INDEX outbox_canary ON outbox (recorded_at) WHERE topic = 'relay-canary';

-- What each consumer group of this service has seen. The day is that of the event's id.
CREATE TABLE inbox (
    event_day date NOT NULL,
    consumer  text NOT NULL,
    event_id  uuid NOT NULL,
    PRIMARY KEY (event_day, consumer, event_id)
) PARTITION BY RANGE (event_day);

-- A day for which no partition was made is stored all the same.
CREATE TABLE outbox_default PARTITION OF outbox DEFAULT;
CREATE TABLE inbox_default PARTITION OF inbox DEFAULT;

-- The last version of each order or customer, and source, that a consumer group has let pass; never forgotten.
CREATE TABLE last_version (
    consumer text NOT NULL,
    about    uuid NOT NULL,
    source   text NOT NULL,
    version  int  NOT NULL,
    PRIMARY KEY (consumer, about, source)
) WITH (fillfactor = 80);

-- Events that could not take effect, and those of the same key behind them.
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
    -- NULL when it was given up.
    next_attempt_at timestamptz,
    -- An operator has said that what is missing before it will not come.
    gap_accepted    boolean     NOT NULL DEFAULT false,
    parked_at       timestamptz NOT NULL,
    UNIQUE (consumer, event_id)
);
CREATE INDEX parked_event_by_key ON parked_event (consumer, key, seq);
CREATE INDEX parked_event_due ON parked_event (consumer, next_attempt_at);

-- What operators did to parked events, with the event as it was then.
CREATE TABLE parked_event_audit (
    done_at  timestamptz NOT NULL DEFAULT now(),
    action   text        NOT NULL CHECK (action IN ('REDRIVE', 'DISCARD')),
    operator text        NOT NULL,
    why      text        NOT NULL,
    event    jsonb       NOT NULL
);

-- How far the auditor has compared the outbox with the topic: rows recorded before audited_until are known to be there, and
-- of the later ones those in seen.
CREATE TABLE outbox_audit (
    one           boolean PRIMARY KEY DEFAULT true CHECK (one),
    audited_until timestamptz    NOT NULL DEFAULT now(),
    seen          int8multirange NOT NULL DEFAULT '{}'
);
INSERT INTO outbox_audit DEFAULT VALUES;

-- Retention, in days, of the tables that are partitioned by day. The outbox outlives the longest time that the relay may be
-- away; the inbox must outlive the topic (7 days) plus any outage, or an event delivered late would take effect again.
CREATE TABLE retention (
    parent text PRIMARY KEY,
    days   int NOT NULL CHECK (days > 0)
);
INSERT INTO retention VALUES ('outbox', 3), ('inbox', 15);

CREATE FUNCTION keep_partitions() RETURNS void
    LANGUAGE plpgsql
    -- The application may neither create nor drop tables, except so.
    SECURITY DEFINER SET search_path = public, pg_temp SET timezone = 'UTC' AS
$$
DECLARE
    today date := current_date;
    kept  record;
    day   date;
    old   text;
BEGIN
    -- One instance at a time; the others have nothing to add.
    IF NOT pg_try_advisory_xact_lock(hashtextextended('keep_partitions', 0)) THEN
        RETURN;
    END IF;
    FOR kept IN SELECT * FROM retention LOOP
        FOR day IN SELECT generate_series(today - 1, today + 7, '1 day')::date LOOP
            IF to_regclass(kept.parent || to_char(day, '_YYYYMMDD')) IS NULL THEN
                BEGIN
                    EXECUTE format('CREATE TABLE %I PARTITION OF %I FOR VALUES FROM (%L) TO (%L)',
                                   kept.parent || to_char(day, '_YYYYMMDD'), kept.parent, day, day + 1);
                EXCEPTION WHEN check_violation THEN
                    RAISE WARNING 'rows of % are in the default partition of %, where they stay', day, kept.parent;
                END;
            END IF;
        END LOOP;
        FOR old IN
            SELECT child.relname
            FROM pg_inherits
            JOIN pg_class child ON child.oid = inhrelid
            WHERE inhparent = kept.parent::regclass
              AND child.relname ~ '_\d{8}$'
              AND to_date(right(child.relname, 8), 'YYYYMMDD') < today - kept.days
        LOOP
            EXECUTE format('DROP TABLE %I', old);
        END LOOP;
    END LOOP;
END
$$;
SELECT keep_partitions();

-- Erasure. The relay does not notice: the publication is of inserts alone.
CREATE FUNCTION erase_from_outbox(erased_key text) RETURNS void
    LANGUAGE sql
    -- The application may change nothing in its outbox, except so.
    SECURITY DEFINER SET search_path = public, pg_temp AS
$$
    UPDATE outbox SET payload = NULL WHERE topic = 'customer-service' AND key = erased_key AND payload IS NOT NULL
$$;

-- The application adds to the outbox and to the inbox; it has no need to change or to forget.
REVOKE ALL ON FUNCTION erase_from_outbox(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION erase_from_outbox(text) TO ${database}_app;
REVOKE ALL ON FUNCTION keep_partitions() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION keep_partitions() TO ${database}_app;
REVOKE UPDATE, DELETE, TRUNCATE ON outbox, inbox, parked_event_audit FROM ${database}_app;
REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON retention FROM ${database}_app;
REVOKE DELETE, TRUNCATE ON last_version, outbox_audit FROM ${database}_app;
GRANT SELECT ON outbox TO ${database}_relay;

-- Before the slot, which is made by afterMigrate.sql: a slot cannot decode what precedes its publication. Through the root,
-- so that the relay sees one table and new partitions need no grant.
CREATE PUBLICATION outbox FOR TABLE outbox WITH (publish = 'insert', publish_via_partition_root = true);
