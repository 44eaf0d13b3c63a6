-- What the console of a demo shows beyond the services' public interface: run in each database as superuser, at every start of
-- a platform that has a console, after the migrations. Rows without personal data: no payloads, no names, no card tokens.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '${database}_console') THEN CREATE ROLE ${database}_console; END IF;
END
$$;
ALTER ROLE ${database}_console LOGIN CONNECTION LIMIT 5 PASSWORD '${console.password}';
ALTER ROLE ${database}_console SET default_transaction_read_only = on;
-- A page can ask again; a query that holds back vacuum, or the owner's ALTER, must end.
ALTER ROLE ${database}_console SET statement_timeout = '2s';
ALTER ROLE ${database}_console SET idle_in_transaction_session_timeout = '2s';

GRANT CONNECT ON DATABASE ${database} TO ${database}_console;
GRANT USAGE ON SCHEMA public TO ${database}_console;
GRANT SELECT (seq, id, topic, key, type, source, version, schema, traceparent, consumer, recorded_at) ON outbox
    TO ${database}_console;
GRANT SELECT ON inbox, outbox_audit TO ${database}_console;
GRANT SELECT (seq, consumer, event_id, topic, partition, "offset", key, type, source, reason, attempts, next_attempt_at, parked_at)
    ON parked_event TO ${database}_console;
DO $$
BEGIN
    CASE '${database}'
        WHEN 'orders' THEN GRANT SELECT (id, status, placed_at, recorded_at) ON orders TO ${database}_console;
        WHEN 'inventory' THEN GRANT SELECT ON stock, reservation TO ${database}_console;
        WHEN 'payments' THEN
            GRANT SELECT (id, kind, from_account, to_account, amount, currency, order_id, customer_balance, occurred_at)
                ON transfer TO ${database}_console;
            GRANT SELECT ON balance TO ${database}_console;
        ELSE NULL;
    END CASE;
END
$$;
