-- Messages as they were sent. By block ranges, since rows come in the order of time: next to nothing to write.
CREATE INDEX notification_by_age ON notification USING brin (recorded_at);
INSERT INTO row_retention (relation, days, condition) VALUES
    ('notification', 90, 'recorded_at < $1 AND state <> ''PENDING'''),
    ('client_log_default', 7, 'received_at < $1');
