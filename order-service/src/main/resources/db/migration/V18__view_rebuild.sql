-- The indexes of a view are named after its table, after a swap as well: a later migration finds them by name.
CREATE FUNCTION name_order_view_indexes() RETURNS void
    LANGUAGE plpgsql SET search_path = public, pg_temp AS
$$
DECLARE
    prefix text;
    named  record;
BEGIN
    FOREACH prefix IN ARRAY ARRAY['renamed_', ''] LOOP -- Two rounds, since the names are exchanged.
        FOR named IN
            SELECT index.relname AS name,
                   indexed.relname || CASE WHEN indisprimary THEN '_pkey'
                       ELSE '_by_' || replace(pg_get_indexdef(indexrelid, 1, true), '_id', '') END AS new_name
            FROM pg_index
            JOIN pg_class index ON index.oid = indexrelid
            JOIN pg_class indexed ON indexed.oid = indrelid
            WHERE indrelid IN ('order_view'::regclass, 'order_view_next'::regclass,
                               'order_view_event'::regclass, 'order_view_event_next'::regclass)
        LOOP
            EXECUTE format('ALTER INDEX %I RENAME TO %I', named.name, prefix || named.new_name);
        END LOOP;
    END LOOP;
END
$$;
SELECT name_order_view_indexes();

CREATE OR REPLACE FUNCTION swap_order_view() RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS
$$
    ANALYZE order_view_next, order_view_event_next;
    ALTER TABLE order_view RENAME TO order_view_before;
    ALTER TABLE order_view_next RENAME TO order_view;
    ALTER TABLE order_view_before RENAME TO order_view_next;
    ALTER TABLE order_view_event RENAME TO order_view_event_before;
    ALTER TABLE order_view_event_next RENAME TO order_view_event;
    ALTER TABLE order_view_event_before RENAME TO order_view_event_next;
    SELECT name_order_view_indexes();
$$;

-- With the rows in the inbox, day by day as its index has them: they would be those of all events on the topic, for 15 days.
CREATE OR REPLACE FUNCTION delete_order_view_rebuild_state(max_rows int) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS
$$
DECLARE
    deleted int;
    day     record;
BEGIN
    DELETE FROM parked_event WHERE consumer LIKE 'order-view-rebuild%';
    DELETE FROM last_version
    WHERE ctid = ANY (ARRAY(SELECT ctid FROM last_version WHERE consumer LIKE 'order-view-rebuild%' LIMIT max_rows));
    GET DIAGNOSTICS deleted = ROW_COUNT;
    FOR day IN
        SELECT relname, nullif(substring(relname FROM '_(\d{8})$'), '') AS name
        FROM pg_inherits JOIN pg_class ON oid = inhrelid
        WHERE inhparent = 'inbox'::regclass
    LOOP
        EXIT WHEN deleted >= max_rows;
        EXECUTE format(
            'WITH gone AS (DELETE FROM %1$I WHERE ctid = ANY (ARRAY(
                 SELECT ctid FROM %1$I WHERE consumer = %2$L AND (%3$L IS NULL OR event_day = to_date(%3$L, %4$L))
                 LIMIT %5$s)) RETURNING 1)
             SELECT count(*) + $1 FROM gone',
            day.relname, 'order-view-rebuild', day.name, 'YYYYMMDD', max_rows - deleted)
            INTO deleted USING deleted;
    END LOOP;
    RETURN deleted >= max_rows;
END
$$;
