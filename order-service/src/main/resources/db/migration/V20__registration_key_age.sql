-- For retention, which had to read all of it.
CREATE INDEX registration_key_by_age ON registration_key (used_at);
