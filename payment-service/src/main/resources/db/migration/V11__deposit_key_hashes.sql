-- Keys of deposits as hashes: a client may choose anything, a mail address too, and the ledger forgets nothing. The table is
-- rewritten, which changes no transfer.
ALTER TABLE transfer RENAME idempotency_key TO key_hash;
ALTER TABLE transfer
    DROP CONSTRAINT transfer_idempotency_key_check,
    ALTER COLUMN key_hash TYPE bytea USING sha256(convert_to(key_hash, 'UTF8')),
    ADD CHECK (octet_length(key_hash) = 32),
    -- Always null. For instances of the version before, while they still run; to be dropped with the next migration. They
    -- make deposits under new keys. A repetition they cannot answer: it violates the index, and nothing is deposited.
    ADD COLUMN idempotency_key text CHECK (idempotency_key IS NULL);

CREATE FUNCTION hash_deposit_key() RETURNS trigger
    LANGUAGE plpgsql AS
$$
BEGIN
    NEW.key_hash := sha256(convert_to(NEW.idempotency_key, 'UTF8'));
    NEW.idempotency_key := NULL;
    RETURN NEW;
END
$$;
CREATE TRIGGER hash_deposit_key BEFORE INSERT ON transfer FOR EACH ROW
    WHEN (NEW.idempotency_key IS NOT NULL) EXECUTE FUNCTION hash_deposit_key();
