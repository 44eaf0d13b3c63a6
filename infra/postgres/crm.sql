-- The CRM: customers as they are now, out of the events of customer-service, see sink.sql. Who was erased is gone.
SET ROLE crm_owner;

CREATE TABLE IF NOT EXISTS customer (
    id uuid PRIMARY KEY,
    name text NOT NULL,
    mail text NOT NULL,
    phone text NOT NULL,
    status text NOT NULL,
    changed_at timestamptz NOT NULL
);

CREATE OR REPLACE FUNCTION apply(e event) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF e.payload IS NULL THEN
        DELETE FROM customer WHERE id = e.key;
    ELSIF e.type IN ('CustomerRegistered', 'CodeRequested', 'CustomerVerified') THEN
        INSERT INTO customer (id, name, mail, phone, status, changed_at)
        VALUES (e.key, e.payload -> 'contact' ->> 'name', e.payload -> 'contact' ->> 'mail', e.payload -> 'contact' ->> 'phone',
            e.payload ->> 'status', (e.payload ->> 'occurredAt')::timestamptz)
        ON CONFLICT (id) DO UPDATE SET name = excluded.name, mail = excluded.mail, phone = excluded.phone,
            status = excluded.status, changed_at = excluded.changed_at;
    END IF;
END
$$;

RESET ROLE;
