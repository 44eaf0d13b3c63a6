-- Applies one rule of row_retention to at most so many rows, in a statement of its own: one that takes too long stops no
-- other. Returns how many it found: max_rows when there may be more.
CREATE FUNCTION apply_row_retention(of_relation text, of_change text, max_rows int) RETURNS int
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET timezone = 'UTC' AS
$$
DECLARE
    rule       record;
    found_rows int;
BEGIN
    -- One instance at a time; the others have nothing to add.
    IF NOT pg_try_advisory_xact_lock(hashtextextended('row_retention ' || of_relation || ' ' || of_change, 0)) THEN
        RETURN 0;
    END IF;
    SELECT relation, condition, least(day, current_date) - days AS expired,
           CASE change WHEN 'DELETE' THEN format('DELETE FROM %I', relation)
               ELSE format('UPDATE %I %s', relation, substr(change, length('UPDATE ') + 1)) END AS statement
    INTO STRICT rule
    FROM row_retention, retention_day
    WHERE relation = of_relation AND change = of_change;
    EXECUTE format('%s WHERE ctid = ANY (ARRAY(SELECT ctid FROM %I WHERE %s LIMIT %s FOR UPDATE SKIP LOCKED))',
                   rule.statement, rule.relation, rule.condition, max_rows)
        USING rule.expired::timestamptz;
    GET DIAGNOSTICS found_rows = ROW_COUNT;
    RETURN found_rows;
END
$$;

-- As the version before calls it, every hour: all rules in one statement.
CREATE OR REPLACE FUNCTION apply_row_retention(max_rows int) RETURNS int
    LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp SET timezone = 'UTC' AS
$$
    SELECT coalesce(max(apply_row_retention(relation, change, max_rows)), 0) FROM row_retention
$$;

REVOKE ALL ON FUNCTION apply_row_retention(text, text, int) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION apply_row_retention(text, text, int) TO ${database}_app;
