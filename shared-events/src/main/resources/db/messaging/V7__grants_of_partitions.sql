-- A partition can be written by its own name, and then its own grants count, which it has by default as any new table: the
-- application could change or delete events in one day's partition of a table that it may only add to. It has no need of the
-- names of partitions: through the table, the table's grants are what counts.
CREATE OR REPLACE FUNCTION create_partitions(of_parent text) RETURNS void
    LANGUAGE plpgsql
    -- With the owner's rights: the application may neither create nor drop tables by itself.
    SECURITY DEFINER SET search_path = public, pg_temp SET timezone = 'UTC' AS
$$
DECLARE
    day       date;
    partition regclass;
BEGIN
    -- No other table: the name comes from the application.
    PERFORM FROM retention WHERE parent = of_parent;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no retention is set for %', of_parent;
    END IF;
    FOR day IN SELECT generate_series(current_date - 1, current_date + 7, '1 day')::date LOOP
        IF to_regclass(of_parent || to_char(day, '_YYYYMMDD')) IS NULL THEN
            BEGIN
                EXECUTE format('CREATE TABLE %I PARTITION OF %I FOR VALUES FROM (%L) TO (%L)',
                               of_parent || to_char(day, '_YYYYMMDD'), of_parent, day, day + 1);
            EXCEPTION WHEN check_violation THEN
                RAISE WARNING 'rows of % are in the default partition of %', day, of_parent;
            END;
        END IF;
    END LOOP;
    -- Of all, so that also those of before, and the default one, lose them with the next call, which each start makes.
    FOR partition IN
        SELECT inhrelid::regclass
        FROM pg_inherits
        WHERE inhparent = of_parent::regclass
          AND has_table_privilege('${database}_app', inhrelid, 'INSERT, UPDATE, DELETE')
    LOOP
        EXECUTE format('REVOKE INSERT, UPDATE, DELETE ON %s FROM ${database}_app', partition);
    END LOOP;
END
$$;
