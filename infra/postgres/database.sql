-- One service database: run in it as superuser, at every start; says what must be true, so running it again changes nothing.
--   ${database}_owner   owns the database; Flyway runs as it. REPLICATION: its migration makes the outbox's slot.
--   ${database}_app     what the service works as: rows, never tables.
--   monitor             what an exporter of metrics connects as, to the database postgres; one for all databases.
--   ${database}_relay   what Debezium reads the log as; the migration grants it the outbox and nothing else.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '${database}_owner') THEN CREATE ROLE ${database}_owner; END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '${database}_app') THEN CREATE ROLE ${database}_app; END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '${database}_relay') THEN CREATE ROLE ${database}_relay; END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'monitor') THEN CREATE ROLE monitor; END IF;
END
$$;
ALTER ROLE monitor LOGIN CONNECTION LIMIT 3 PASSWORD '${monitor.password}';
GRANT pg_monitor TO monitor;
ALTER ROLE ${database}_owner LOGIN REPLICATION PASSWORD '${owner.password}';
ALTER ROLE ${database}_app LOGIN PASSWORD '${app.password}';
ALTER ROLE ${database}_relay LOGIN REPLICATION CONNECTION LIMIT 5 PASSWORD '${relay.password}';

ALTER DATABASE ${database} OWNER TO ${database}_owner;
REVOKE ALL ON DATABASE ${database} FROM PUBLIC;
GRANT CONNECT ON DATABASE ${database} TO ${database}_app, ${database}_relay;

REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO ${database}_app, ${database}_relay;

-- What PostgreSQL opens to every role, also to one that may only read, and nobody here needs: messages in the log, which
-- a relay would read between the rows, and large objects, which fill the disk of all databases.
REVOKE EXECUTE ON FUNCTION pg_logical_emit_message(boolean, text, text, boolean),
    pg_logical_emit_message(boolean, text, bytea, boolean),
    lo_create(oid), lo_creat(integer), lo_from_bytea(oid, bytea) FROM PUBLIC;

-- What the owner's migrations will create; they revoke what the service must not do (an outbox is insert only).
ALTER DEFAULT PRIVILEGES FOR ROLE ${database}_owner REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE ${database}_owner IN SCHEMA public
    GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO ${database}_app;
ALTER DEFAULT PRIVILEGES FOR ROLE ${database}_owner IN SCHEMA public GRANT USAGE ON SEQUENCES TO ${database}_app;
ALTER DEFAULT PRIVILEGES FOR ROLE ${database}_owner IN SCHEMA public GRANT EXECUTE ON FUNCTIONS TO ${database}_app;

-- A handler that hangs must give its locks back before its consumer is thought dead.
ALTER ROLE ${database}_app SET statement_timeout = '5s';
ALTER ROLE ${database}_app SET lock_timeout = '2s';
ALTER ROLE ${database}_app SET idle_in_transaction_session_timeout = '10s';
ALTER ROLE ${database}_app SET transaction_timeout = '20s';
-- An ALTER that waits for a long query makes all others wait behind it: it gives up, and the service tries it again
-- every second.
ALTER ROLE ${database}_owner SET lock_timeout = '2s';
