-- Keys as hashes: a caller may choose anything, a mail address too, and the ledger forgets nothing. It is rewritten here as
-- a whole, which is no change to a transfer.
ALTER TABLE transfer
    DROP CONSTRAINT transfer_idempotency_key_check,
    ALTER COLUMN idempotency_key TYPE bytea USING sha256(convert_to(idempotency_key, 'UTF8')),
    ADD CONSTRAINT transfer_idempotency_key_check CHECK (octet_length(idempotency_key) = 32);
