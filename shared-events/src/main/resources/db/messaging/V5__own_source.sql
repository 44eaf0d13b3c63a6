-- Readers believe what an event says of its source, and the relay publishes what is in the outbox: in a service's database that
-- can be this service's events alone. Not validated: reading all rows again would only hold up writers.
ALTER TABLE outbox ADD CONSTRAINT outbox_source_is_own CHECK (source = '${service}') NOT VALID;

-- For a service that does not migrate by itself: it makes sure of slot and partitions at its start, like afterMigrate.sql.
CREATE FUNCTION create_outbox_slot() RETURNS void
    LANGUAGE plpgsql
    -- With the owner's rights: the application may not replicate. It waits for the running transactions of all databases.
    SECURITY DEFINER SET search_path = public, pg_temp SET lock_timeout = 0 AS
$$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = 'outbox_${database}') THEN
        PERFORM pg_create_logical_replication_slot('outbox_${database}', 'pgoutput');
    END IF;
END
$$;
REVOKE ALL ON FUNCTION create_outbox_slot() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION create_outbox_slot(), create_partitions(text) TO ${database}_app;
