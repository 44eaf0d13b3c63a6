-- By the database's clock, unlike placed_at: one clock for all instances, by which an order is overdue.
ALTER TABLE orders ADD COLUMN recorded_at timestamptz NOT NULL DEFAULT now();
DROP INDEX orders_undecided;
CREATE INDEX orders_undecided ON orders (recorded_at) WHERE status = 'PENDING';
