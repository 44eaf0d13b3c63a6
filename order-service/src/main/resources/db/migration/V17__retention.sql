-- A key identifies repetitions of a request, which no client repeats after a month. By block ranges, since rows come in the
-- order of time: next to nothing to write.
CREATE INDEX order_key_by_age ON order_key USING brin (used_at);
ALTER TABLE registration_key ADD COLUMN used_at timestamptz NOT NULL DEFAULT now();
INSERT INTO row_retention (relation, days, condition) VALUES
    ('message_count', 1, 'since < $1'),
    ('order_key', 30, 'used_at < $1'),
    ('registration_key', 30, 'used_at < $1'),
    ('flash_sale_ticket', 30, 'sale_id IN (SELECT id FROM flash_sale WHERE closes_at < $1)');
-- Who is never verified is erased, see dev.orderly.customer.UnverifiedCustomers.
CREATE INDEX customer_unverified ON customer (code_sent_at) WHERE status = 'REGISTERED';
