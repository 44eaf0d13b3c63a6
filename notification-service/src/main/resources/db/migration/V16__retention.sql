-- Where rows are deleted and their space is used again, each range of blocks has rows of any age, and by block ranges all would
-- be read.
DROP INDEX notification_by_age;
CREATE INDEX notification_by_age ON notification (recorded_at);
