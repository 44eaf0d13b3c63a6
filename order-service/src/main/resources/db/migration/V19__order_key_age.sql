-- Where rows are deleted and their space is used again, each range of blocks has rows of any age, and by block ranges all would
-- be read. The new index is made first, and rows are read all the while.
CREATE INDEX order_key_used_at ON order_key (used_at);
DROP INDEX order_key_by_age;
ALTER INDEX order_key_used_at RENAME TO order_key_by_age;
