-- The ERP: orders, their lines and their latest status, out of the events of order-service, see sink.sql.
SET ROLE erp_owner;

CREATE TABLE IF NOT EXISTS orders (
    id uuid PRIMARY KEY,
    customer_id uuid NOT NULL,
    payment_method text NOT NULL,
    total bigint NOT NULL CHECK (total >= 0), -- in minor units
    currency char(3) NOT NULL,
    status text NOT NULL CHECK (status IN
        ('PENDING', 'RESERVED', 'OUT_OF_STOCK', 'PAID', 'DECLINED', 'CONFIRMED', 'REJECTED', 'CANCELLED')),
    reason text,
    placed_at timestamptz NOT NULL,
    changed_at timestamptz NOT NULL
);

CREATE TABLE IF NOT EXISTS order_line (
    order_id uuid NOT NULL REFERENCES orders,
    line integer NOT NULL,
    sku text NOT NULL,
    quantity integer NOT NULL CHECK (quantity > 0),
    unit_price bigint NOT NULL CHECK (unit_price >= 0),
    PRIMARY KEY (order_id, line)
);

CREATE OR REPLACE FUNCTION apply(e event) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF e.type = 'OrderPlaced' THEN
        INSERT INTO orders (id, customer_id, payment_method, total, currency, status, placed_at, changed_at)
        VALUES (e.key, (e.payload ->> 'customerId')::uuid, e.payload ->> 'paymentMethod',
            (e.payload -> 'total' ->> 'amount')::bigint, e.payload -> 'total' ->> 'currency',
            e.payload ->> 'status', (e.payload ->> 'occurredAt')::timestamptz, (e.payload ->> 'occurredAt')::timestamptz);
        INSERT INTO order_line (order_id, line, sku, quantity, unit_price)
        SELECT e.key, number, line ->> 'sku', (line ->> 'quantity')::integer, (line -> 'unitPrice' ->> 'amount')::bigint
        FROM jsonb_array_elements(e.payload -> 'lines') WITH ORDINALITY AS lines (line, number);
    ELSIF e.type IN ('StockReserved', 'StockRejected', 'PaymentCaptured', 'PaymentDeclined', 'OrderConfirmed', 'OrderRejected',
            'OrderCancelled', 'PaymentRefunded') THEN
        -- What others report after the decision, such as a refund, does not change what the order is.
        UPDATE orders
        SET status = CASE WHEN status IN ('CONFIRMED', 'REJECTED', 'CANCELLED') THEN status ELSE e.payload ->> 'status' END,
            reason = CASE WHEN e.type IN ('OrderRejected', 'OrderCancelled') THEN e.payload ->> 'reason' ELSE reason END,
            changed_at = (e.payload ->> 'occurredAt')::timestamptz
        WHERE id = e.key;
        -- Nothing of it has been applied then, so a replay applies it, once the order's first event is there.
        IF NOT FOUND THEN
            RAISE EXCEPTION 'the OrderPlaced of this order has not been applied' USING ERRCODE = 'foreign_key_violation';
        END IF;
    END IF;
END
$$;

RESET ROLE;
