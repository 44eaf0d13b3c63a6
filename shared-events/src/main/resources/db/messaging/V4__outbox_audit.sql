-- How far the auditor has read each partition, in the transaction that marks what it read: a topic that ends before that
-- has lost records.
CREATE TABLE outbox_audit_position (
    topic       text   NOT NULL,
    partition   int    NOT NULL,
    next_offset bigint NOT NULL,
    PRIMARY KEY (topic, partition)
) WITH (fillfactor = 50);

-- While the topics are read again, and so seen is incomplete: by whom, and when that one was last heard of.
ALTER TABLE outbox_audit
    ADD COLUMN reread_by uuid,
    ADD COLUMN reread_at timestamptz;
