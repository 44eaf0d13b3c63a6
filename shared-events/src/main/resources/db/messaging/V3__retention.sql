-- Retention counts from this day, not from the clock: a clock that jumps ahead for some hours would drop everything. The
-- day follows the clock at once when that says the same day or the next one, else only after a day of hourly runs.
CREATE TABLE retention_day (
    singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    day       date NOT NULL DEFAULT (now() AT TIME ZONE 'UTC')::date,
    -- Runs in a row in which the clock said something else.
    doubts    int  NOT NULL DEFAULT 0
);
INSERT INTO retention_day DEFAULT VALUES;

-- Rows that are deleted or emptied one by one, where no partition can be dropped. In "condition", $1 is midnight UTC of the
-- day before which a row is too old.
CREATE TABLE row_retention (
    relation  text NOT NULL,
    days      int  NOT NULL CHECK (days > 0),
    condition text NOT NULL,
    change    text NOT NULL DEFAULT 'DELETE',
    PRIMARY KEY (relation, change)
);
INSERT INTO row_retention (relation, days, condition, change) VALUES
    -- Days without a partition of their own, and what is not dated by our time.
    ('outbox_default', 3, 'recorded_at < least($1, (SELECT audited_until FROM outbox_audit))', 'DELETE'),
    ('inbox_default', 15, 'event_day < $1', 'DELETE'),
    -- Payloads have card tokens. Who did what, and why, stays.
    ('parked_event_audit', 30, 'done_at < $1 AND event -> ''payload'' IS NOT NULL',
     'UPDATE SET event = event - ''payload''');

-- The partitions of the coming days. CREATE fails when the default partition has rows of that day; row_retention deletes
-- those in time.
CREATE FUNCTION create_partitions(of_parent text) RETURNS void
    LANGUAGE plpgsql
    -- With the owner's rights: the application may neither create nor drop tables by itself.
    SECURITY DEFINER SET search_path = public, pg_temp SET timezone = 'UTC' AS
$$
DECLARE
    day date;
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
END
$$;

-- The last day whose partition is too old. Of the outbox no day that is not audited: lost events are published from there.
CREATE FUNCTION last_expired_day(of_parent text) RETURNS date
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp SET timezone = 'UTC' AS
$$
    SELECT least(least(retention_day.day, current_date) - retention.days,
                 CASE of_parent WHEN 'outbox' THEN (SELECT audited_until::date FROM outbox_audit) END) - 1
    FROM retention, retention_day
    WHERE parent = of_parent
$$;

-- The partitions of one table, in one transaction: it waits for no other table while it holds this one.
CREATE FUNCTION maintain_partitions(of_parent text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET timezone = 'UTC' AS
$$
DECLARE
    expired text;
BEGIN
    -- One instance at a time; the others have nothing to add.
    IF NOT pg_try_advisory_xact_lock(hashtextextended('maintain_partitions', 0)) THEN
        RETURN;
    END IF;
    PERFORM create_partitions(of_parent);
    FOR expired IN
        SELECT child.relname
        FROM pg_inherits
        JOIN pg_class child ON child.oid = inhrelid
        WHERE inhparent = of_parent::regclass
          AND child.relname ~ '_\d{8}$'
          AND to_date(right(child.relname, 8), 'YYYYMMDD') <= last_expired_day(of_parent)
    LOOP
        EXECUTE format('DROP TABLE %I', expired);
    END LOOP;
END
$$;

-- As the version before calls it, at its start and every hour.
CREATE OR REPLACE FUNCTION maintain_partitions() RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET timezone = 'UTC' AS
$$
DECLARE
    of_parent text;
BEGIN
    -- The inbox before the outbox, as handlers lock them: in the opposite order, each could wait for the other.
    FOR of_parent IN SELECT parent FROM retention ORDER BY parent LOOP
        PERFORM maintain_partitions(of_parent);
    END LOOP;
END
$$;

-- To be called about once an hour, before the others.
CREATE FUNCTION advance_retention_day() RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp SET timezone = 'UTC' AS
$$
    UPDATE retention_day
    SET day = CASE WHEN current_date BETWEEN day AND day + 1 OR doubts >= 24 THEN current_date ELSE day END,
        doubts = CASE WHEN current_date BETWEEN day AND day + 1 OR doubts >= 24 THEN 0 ELSE doubts + 1 END
$$;

-- Applies row_retention to at most so many rows of each table. Returns the most that were found in one: as many as
-- max_rows when there may be more.
CREATE FUNCTION apply_row_retention(max_rows int) RETURNS int
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET timezone = 'UTC' AS
$$
DECLARE
    rule  record;
    found_rows int;
    most  int := 0;
BEGIN
    IF NOT pg_try_advisory_xact_lock(hashtextextended('row_retention', 0)) THEN
        RETURN 0;
    END IF;
    FOR rule IN
        SELECT relation, condition, least(day, current_date) - days AS expired,
               CASE change WHEN 'DELETE' THEN format('DELETE FROM %I', relation)
                   ELSE format('UPDATE %I %s', relation, substr(change, length('UPDATE ') + 1)) END AS statement
        FROM row_retention, retention_day
        ORDER BY relation
    LOOP
        EXECUTE format('%s WHERE ctid = ANY (ARRAY(SELECT ctid FROM %I WHERE %s LIMIT %s FOR UPDATE SKIP LOCKED))',
                       rule.statement, rule.relation, rule.condition, max_rows)
            USING rule.expired::timestamptz;
        GET DIAGNOSTICS found_rows = ROW_COUNT;
        most := greatest(most, found_rows);
    END LOOP;
    RETURN most;
END
$$;

REVOKE ALL ON FUNCTION create_partitions(text), last_expired_day(text), maintain_partitions(text),
    advance_retention_day(), apply_row_retention(int) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION last_expired_day(text), maintain_partitions(text), advance_retention_day(),
    apply_row_retention(int) TO ${database}_app;
-- The rules are statements that run with the owner's rights.
REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON row_retention, retention_day FROM ${database}_app;
