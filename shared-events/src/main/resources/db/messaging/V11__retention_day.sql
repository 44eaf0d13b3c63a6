-- A clock in doubt is believed after a day, by the time that passes on it, however many instances ask how often.
ALTER TABLE retention_day
    -- The last call in which the clock was in doubt, by that clock; null when it is not.
    ADD COLUMN doubted_at  timestamptz,
    ADD COLUMN doubted_for interval NOT NULL DEFAULT '0',
    -- Only the function read it.
    DROP COLUMN doubts;

CREATE OR REPLACE FUNCTION advance_retention_day() RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET timezone = 'UTC' AS
$$
BEGIN
    -- From one call to the next at most an hour counts: a clock that jumps once more has not run for longer.
    UPDATE retention_day
    SET doubted_for = CASE WHEN doubted_at IS NULL THEN '0'
            ELSE doubted_for + least(greatest(now() - doubted_at, '0'), '1 h') END,
        doubted_at = now();
    UPDATE retention_day
    SET day = current_date, doubted_for = '0', doubted_at = NULL
    WHERE current_date BETWEEN day AND day + 1 OR doubted_for >= '24 h';
END
$$;
