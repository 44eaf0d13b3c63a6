-- How many messages registrations and requests of codes have caused to a phone or mail address, in a period that began with
-- the first of them.
CREATE TABLE message_count (
    -- A keyed hash of the phone or the mail address, which without the key cannot be guessed.
    destination bytea       PRIMARY KEY CHECK (octet_length(destination) = 32),
    since       timestamptz NOT NULL DEFAULT now(),
    messages    int         NOT NULL DEFAULT 1 CHECK (messages > 0)
);
