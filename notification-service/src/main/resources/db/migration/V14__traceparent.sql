-- Of the sampled trace that a message belongs to (docs/reference/traces.md); NULL for most.
ALTER TABLE notification ADD COLUMN traceparent text;
