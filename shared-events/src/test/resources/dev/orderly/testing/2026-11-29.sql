-- What all databases had in common at commit ce37c1e (2026-11-29): the shared migration without its comments, the
-- history of migrations, and rows. Never edited: what it stands for is installed somewhere.
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO ${database}_app, ${database}_relay;
ALTER DEFAULT PRIVILEGES FOR ROLE ${database}_owner REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE ${database}_owner IN SCHEMA public
    GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO ${database}_app;
ALTER DEFAULT PRIVILEGES FOR ROLE ${database}_owner IN SCHEMA public GRANT USAGE ON SEQUENCES TO ${database}_app;
ALTER DEFAULT PRIVILEGES FOR ROLE ${database}_owner IN SCHEMA public GRANT EXECUTE ON FUNCTIONS TO ${database}_app;
CREATE TABLE flyway_schema_history (
    installed_rank integer NOT NULL CONSTRAINT flyway_schema_history_pk PRIMARY KEY,
    version varchar(50),
    description varchar(200) NOT NULL,
    type varchar(20) NOT NULL,
    script varchar(1000) NOT NULL,
    checksum integer,
    installed_by varchar(100) NOT NULL,
    installed_on timestamp NOT NULL DEFAULT now(),
    execution_time integer NOT NULL,
    success boolean NOT NULL
);
CREATE INDEX flyway_schema_history_s_idx ON flyway_schema_history (success);
INSERT INTO flyway_schema_history VALUES
    (1, '1', 'outbox inbox parking', 'SQL', 'db/messaging/V1__outbox_inbox_parking.sql', 1014122222,
     '${database}_owner', now(), 20, true);
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
    payload     text        CHECK (octet_length(payload) BETWEEN 2 AND 262144),
    traceparent text,
    consumer    text,
    reason      text,
    origin      text,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (recorded_at, seq),
    CHECK (payload IS NOT NULL OR topic = 'customer-service')
) PARTITION BY RANGE (recorded_at);
CREATE INDEX outbox_erasable_key ON outbox (key) WHERE topic = 'customer-service';
CREATE INDEX outbox_heartbeat ON outbox (recorded_at) WHERE topic = 'outbox-heartbeat';
CREATE TABLE inbox (
    event_day date NOT NULL,
    consumer  text NOT NULL,
    event_id  uuid NOT NULL,
    PRIMARY KEY (event_day, consumer, event_id)
) PARTITION BY RANGE (event_day);
CREATE TABLE outbox_default PARTITION OF outbox DEFAULT;
CREATE TABLE inbox_default PARTITION OF inbox DEFAULT;
CREATE TABLE last_version (
    consumer     text NOT NULL,
    aggregate_id uuid NOT NULL,
    source       text NOT NULL,
    version      int  NOT NULL,
    PRIMARY KEY (consumer, aggregate_id, source)
) WITH (fillfactor = 80);
CREATE TABLE parked_event (
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
    next_attempt_at timestamptz,
    gap_accepted    boolean     NOT NULL DEFAULT false,
    parked_at       timestamptz NOT NULL,
    UNIQUE (consumer, event_id)
);
CREATE INDEX parked_event_by_key ON parked_event (consumer, key, seq);
CREATE INDEX parked_event_due ON parked_event (consumer, next_attempt_at);
CREATE TABLE parked_event_audit (
    done_at  timestamptz NOT NULL DEFAULT now(),
    action   text        NOT NULL CHECK (action IN ('REDRIVE', 'DISCARD')),
    operator text        NOT NULL,
    why      text        NOT NULL,
    event    jsonb       NOT NULL
);
CREATE TABLE outbox_audit (
    singleton     boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    audited_until timestamptz    NOT NULL DEFAULT now(),
    seen          int8multirange NOT NULL DEFAULT '{}'
);
INSERT INTO outbox_audit DEFAULT VALUES;
CREATE TABLE retention (
    parent text PRIMARY KEY,
    days   int NOT NULL CHECK (days > 0)
);
INSERT INTO retention VALUES ('outbox', 3), ('inbox', 15);
CREATE FUNCTION maintain_partitions() RETURNS void
    LANGUAGE plpgsql
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
CREATE FUNCTION erase_from_outbox(erased_key text) RETURNS void
    LANGUAGE sql
    SECURITY DEFINER SET search_path = public, pg_temp AS
$$
    UPDATE outbox SET payload = NULL WHERE topic = 'customer-service' AND key = erased_key AND payload IS NOT NULL
$$;
REVOKE ALL ON FUNCTION erase_from_outbox(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION erase_from_outbox(text) TO ${database}_app;
REVOKE ALL ON FUNCTION maintain_partitions() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION maintain_partitions() TO ${database}_app;
REVOKE UPDATE, DELETE, TRUNCATE ON outbox, inbox, parked_event_audit FROM ${database}_app;
REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON retention FROM ${database}_app;
REVOKE DELETE, TRUNCATE ON last_version, outbox_audit FROM ${database}_app;
GRANT SELECT ON outbox TO ${database}_relay;
CREATE PUBLICATION outbox FOR TABLE outbox WITH (publish = 'insert', publish_via_partition_root = true);
INSERT INTO outbox (topic, key, type, source, version, schema, payload) VALUES
    ('order-service', '01a20000-0000-7000-8000-000000000001', 'OrderPlaced', 'order-service', 1, 1, '{}'),
    ('outbox-heartbeat', 'order-service', 'OutboxHeartbeat', 'order-service', 1, 1, '{}');
INSERT INTO inbox VALUES
    (current_date, 'any-group', uuidv7()), ('1970-01-01', 'any-group', '0f8fad5b-d9cb-469f-a165-70867728950e');
INSERT INTO last_version VALUES ('any-group', '01a20000-0000-7000-8000-000000000001', 'order-service', 2);
INSERT INTO parked_event (consumer, event_id, topic, partition, "offset", key, type, source, version, headers,
                          payload, reason, parked_at) VALUES
    ('any-group', '0f8fad5b-d9cb-469f-a165-70867728950e', 'order-service', 0, 7, 'k', 'OrderPlaced',
     'order-service', 1, '{id=x}', '\x7b', 'UNREADABLE', now());
INSERT INTO parked_event_audit (action, operator, why, event) VALUES ('DISCARD', 'ann', 'a test', '{"type": "any"}');
UPDATE outbox_audit SET seen = '{[1,2)}';
