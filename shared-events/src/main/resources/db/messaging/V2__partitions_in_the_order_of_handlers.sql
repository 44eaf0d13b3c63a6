-- As in V1, but for the order of the tables: handlers take the inbox before the outbox, and who takes them the other way round,
-- as a new partition does, may wait for a handler that waits for it.
CREATE OR REPLACE FUNCTION keep_partitions() RETURNS void
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
    FOR kept IN SELECT * FROM retention ORDER BY parent LOOP
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
