-- An event whose schema is newer than an instance reads waits for a newer instance, see ParkedEvents.
ALTER TABLE parked_event
    -- Of such an event only.
    ADD COLUMN schema int,
    DROP CONSTRAINT parked_event_reason_check,
    -- Not validated: the old check has held for all rows, and reading them again would only hold up writers.
    ADD CONSTRAINT parked_event_reason_check
        CHECK (reason IN ('UNREADABLE', 'NEWER_SCHEMA', 'FAILED', 'GAP', 'BEHIND')) NOT VALID;
CREATE INDEX parked_event_newer_schema ON parked_event (schema) WHERE reason = 'NEWER_SCHEMA';
