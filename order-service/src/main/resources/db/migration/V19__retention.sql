-- Where rows are deleted and their space is used again, each range of blocks has rows of any age, and by block ranges all would
-- be read.
DROP INDEX order_key_by_age;
CREATE INDEX order_key_by_age ON order_key (used_at);
CREATE INDEX registration_key_by_age ON registration_key (used_at);
