-- Who of the staff did what: the subject of the token, never a name from the request. By block ranges, since rows come in
-- the order of time.
CREATE TABLE command_audit (
    done_at timestamptz NOT NULL DEFAULT now(),
    subject text        NOT NULL,
    command text        NOT NULL,
    target  text        NOT NULL
);
CREATE INDEX command_audit_by_age ON command_audit USING brin (done_at);
REVOKE UPDATE, DELETE, TRUNCATE ON command_audit FROM ${database}_app;
INSERT INTO row_retention (relation, days, condition) VALUES ('command_audit', 400, 'done_at < $1');
