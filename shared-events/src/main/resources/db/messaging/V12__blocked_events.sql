-- Whether an event waits for an earlier one of its key, so that what is due is found without a look at all that wait. Instances
-- of the version before do not know the column, and use the index parked_event_due; this version corrects within a minute what
-- they have parked or taken, and what was parked before.
ALTER TABLE parked_event ADD COLUMN blocked boolean NOT NULL DEFAULT false;
CREATE INDEX parked_event_unblocked ON parked_event (consumer, next_attempt_at, seq) WHERE NOT blocked;
