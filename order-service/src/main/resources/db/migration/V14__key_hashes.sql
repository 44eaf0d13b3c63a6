-- Keys as hashes: a caller may choose anything, a mail address too, and what this service places for itself, as the orders
-- of flash sales, has a name space that no caller reaches. A key that a sale has used is known by the ticket.
ALTER TABLE idempotency_key ADD COLUMN origin text NOT NULL DEFAULT 'CLIENT' CHECK (origin IN ('CLIENT', 'FLASH_SALE'));
ALTER TABLE idempotency_key ALTER COLUMN origin DROP DEFAULT;
UPDATE idempotency_key SET origin = 'FLASH_SALE'
FROM flash_sale_ticket AS ticket
WHERE ticket.order_id = idempotency_key.order_id AND idempotency_key.key = 'flash-sale:' || ticket.sale_id;
-- What precedes the sale's id in a key is left to the origin.
ALTER TABLE idempotency_key
    DROP CONSTRAINT idempotency_key_pkey,
    ALTER COLUMN key TYPE bytea USING sha256(convert_to(
        CASE origin WHEN 'FLASH_SALE' THEN substr(key, length('flash-sale:') + 1) ELSE key END, 'UTF8')),
    ADD CHECK (octet_length(key) = 32),
    ADD PRIMARY KEY (customer_id, origin, key);

ALTER TABLE registration_key
    ALTER COLUMN key TYPE bytea USING sha256(convert_to(key, 'UTF8')),
    ADD CHECK (octet_length(key) = 32);
