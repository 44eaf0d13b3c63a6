-- Where rows are deleted and their space is used again, each range of blocks has rows of any age, and by block ranges all would
-- be read. The new index is made first, and rows are read all the while.
CREATE INDEX notification_recorded_at ON notification (recorded_at);
DROP INDEX notification_by_age;
ALTER INDEX notification_recorded_at RENAME TO notification_by_age;
