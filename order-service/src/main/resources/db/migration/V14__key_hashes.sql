-- Keys of orders as hashes: a client may choose anything, a mail address too, and rows outlive the erasure of a customer.
-- What this service places by itself, for flash sales, has a name space that no client reaches.
CREATE TABLE order_key (
    customer_id  uuid        NOT NULL,
    origin       text        NOT NULL CHECK (origin IN ('CLIENT', 'FLASH_SALE')),
    -- SHA-256 of the key, which its origin chooses: it is unique only among those of one customer.
    key_hash     bytea       NOT NULL CHECK (octet_length(key_hash) = 32),
    request_hash bytea       NOT NULL,
    order_id     uuid        NOT NULL,
    used_at      timestamptz NOT NULL,
    PRIMARY KEY (customer_id, origin, key_hash)
);

LOCK TABLE idempotency_key;
-- A key that a sale has used is known by its ticket.
INSERT INTO order_key
SELECT old.customer_id,
       CASE WHEN ticket.sale_id IS NULL THEN 'CLIENT' ELSE 'FLASH_SALE' END,
       sha256(convert_to(coalesce(ticket.sale_id, old.key), 'UTF8')),
       old.request_hash, old.order_id, old.used_at
FROM idempotency_key AS old
LEFT JOIN flash_sale_ticket AS ticket
    ON ticket.order_id = old.order_id AND old.key = 'flash-sale:' || ticket.sale_id;
DROP TABLE idempotency_key;

-- For instances of the version before, while they still run; to be dropped with the next migration. They place orders under
-- new keys. A repetition they cannot answer, since there is no key to compare with: it fails, and nothing is placed.
CREATE VIEW idempotency_key AS
SELECT customer_id, NULL::text AS key, request_hash, order_id, used_at FROM order_key;

CREATE FUNCTION add_order_key() RETURNS trigger
    LANGUAGE plpgsql AS
$$
BEGIN
    INSERT INTO order_key
    SELECT NEW.customer_id,
           CASE WHEN NEW.key ^@ 'flash-sale:' THEN 'FLASH_SALE' ELSE 'CLIENT' END,
           sha256(convert_to(regexp_replace(NEW.key, '^flash-sale:', ''), 'UTF8')),
           NEW.request_hash, NEW.order_id, NEW.used_at
    ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the key was used before; only a newer instance can say for which order';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER add_order_key INSTEAD OF INSERT ON idempotency_key FOR EACH ROW EXECUTE FUNCTION add_order_key();

ALTER TABLE registration_key RENAME key TO key_hash;
ALTER TABLE registration_key
    ALTER COLUMN key_hash TYPE bytea USING sha256(convert_to(key_hash, 'UTF8')),
    ADD CHECK (octet_length(key_hash) = 32),
    -- For the same instances, which fail at a repetition, too; always null.
    ADD COLUMN key text CHECK (key IS NULL);

CREATE FUNCTION hash_registration_key() RETURNS trigger
    LANGUAGE plpgsql AS
$$
BEGIN
    NEW.key_hash := sha256(convert_to(NEW.key, 'UTF8'));
    NEW.key := NULL;
    RETURN NEW;
END
$$;
CREATE TRIGGER hash_registration_key BEFORE INSERT ON registration_key FOR EACH ROW
    WHEN (NEW.key IS NOT NULL) EXECUTE FUNCTION hash_registration_key();
