-- By the database's clock, unlike placed_at: one clock for all instances, by which an order is overdue. That of the insert, not
-- of the begin of its transaction, which may precede placed_at by as long as the database was slow.
ALTER TABLE orders ADD COLUMN recorded_at timestamptz NOT NULL DEFAULT now();
ALTER TABLE orders ALTER COLUMN recorded_at SET DEFAULT clock_timestamp();
DROP INDEX orders_undecided;
CREATE INDEX orders_undecided ON orders (recorded_at) WHERE status = 'PENDING';
