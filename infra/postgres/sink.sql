-- A database that a sink fills: run in it as superuser, before erp.sql or crm.sql, at every start with --erp-crm; says what
-- must be true, so running it again changes nothing.
--   ${database}_owner  owns database and tables, and does not log in.
--   ${database}_sink   what the sink connects as: it hands in events, and can neither read nor change a row.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '${database}_owner') THEN CREATE ROLE ${database}_owner NOLOGIN; END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '${database}_sink') THEN CREATE ROLE ${database}_sink; END IF;
END
$$;
ALTER ROLE ${database}_sink LOGIN CONNECTION LIMIT 5 PASSWORD '${sink.password}';
ALTER ROLE ${database}_sink SET statement_timeout = '30s';
ALTER ROLE ${database}_sink SET lock_timeout = '10s';
ALTER ROLE ${database}_sink SET idle_in_transaction_session_timeout = '30s';
-- The detail of an error is the row that was rejected, which may be personal data: not into the log.
ALTER ROLE ${database}_sink SET log_error_verbosity = 'terse';

ALTER DATABASE ${database} OWNER TO ${database}_owner;
REVOKE ALL ON DATABASE ${database} FROM PUBLIC;
GRANT CONNECT ON DATABASE ${database} TO ${database}_sink;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO ${database}_sink;

SET ROLE ${database}_owner;
ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;

-- Where the sink hands in what it reads from the topic, in the order of each key. Always empty: the trigger applies an event,
-- and stores none. A tombstone has no payload.
CREATE TABLE IF NOT EXISTS event (
    id uuid NOT NULL,
    key uuid NOT NULL,
    type text NOT NULL,
    source text NOT NULL,
    version integer NOT NULL,
    payload jsonb
);
GRANT INSERT ON event TO ${database}_sink;

-- How far each source's events of a key have been applied. It outlives what they are about: an event that is read again after
-- an erasure must not bring the person back. An id and a number are no personal data.
CREATE TABLE IF NOT EXISTS applied (
    key uuid NOT NULL,
    source text NOT NULL,
    version integer NOT NULL,
    PRIMARY KEY (key, source)
);

-- In the transaction of the sink's batch. An event takes effect once, and never after a later one of its source, however often
-- and from where the topic is read again. In the order of sources relative to each other: that of the partition.
-- apply(event) is what erp.sql or crm.sql does with it.
CREATE OR REPLACE FUNCTION apply_once() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NEW.payload IS NOT NULL AND (NEW.payload ->> 'id')::uuid IS DISTINCT FROM NEW.key THEN
        RAISE EXCEPTION 'the key is not the id of the payload' USING ERRCODE = 'data_exception';
    END IF;
    INSERT INTO applied AS a (key, source, version) VALUES (NEW.key, NEW.source, NEW.version)
        ON CONFLICT (key, source) DO UPDATE SET version = excluded.version WHERE a.version < excluded.version;
    IF FOUND THEN
        PERFORM apply(NEW);
    END IF;
    RETURN NULL;
END
$$;
CREATE OR REPLACE TRIGGER apply_once BEFORE INSERT ON event FOR EACH ROW EXECUTE FUNCTION apply_once();

RESET ROLE;
