-- The read side: projected from the topic alone, and from no table of the command side.

CREATE TABLE order_view (
    order_id       uuid        PRIMARY KEY,
    customer_id    uuid        NOT NULL,
    status         text        NOT NULL,
    reason         text,
    -- JSON as in the event; text, because no query looks into it.
    lines          text        NOT NULL,
    total          bigint      NOT NULL, -- minor units
    currency       text        NOT NULL,
    payment_method text        NOT NULL,
    placed_at      timestamptz NOT NULL,
    -- The highest version of order-service's own events: a caller waits for it to read its write.
    version        int         NOT NULL,
    events         int         NOT NULL
) WITH (fillfactor = 70);
-- Order ids are UUIDv7, so these page from the newest to the oldest.
CREATE INDEX order_view_by_customer ON order_view (customer_id, order_id);
CREATE INDEX order_view_by_status ON order_view (status, order_id);

CREATE TABLE order_view_event (
    order_id    uuid        NOT NULL,
    position    int         NOT NULL, -- 1, 2, 3 … in the order of the topic
    type        text        NOT NULL,
    status      text        NOT NULL,
    source      text        NOT NULL,
    version     int         NOT NULL,
    occurred_at timestamptz NOT NULL,
    partition   int         NOT NULL,
    "offset"    bigint      NOT NULL,
    PRIMARY KEY (order_id, position)
);

-- The shadow that a rebuild fills while the live tables are read. In the end they swap names, so after a rebuild the shadow
-- is the previous view.
CREATE TABLE order_view_next (LIKE order_view INCLUDING ALL) WITH (fillfactor = 70);
CREATE TABLE order_view_event_next (LIKE order_view_event INCLUDING ALL);

-- The application's role may not truncate or rename tables, nor delete what its consumers have recorded, except by these.
CREATE FUNCTION truncate_order_view_next() RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS
$$
    TRUNCATE order_view_next, order_view_event_next;
$$;

CREATE FUNCTION swap_order_view() RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS
$$
    ANALYZE order_view_next, order_view_event_next;
    ALTER TABLE order_view RENAME TO order_view_before;
    ALTER TABLE order_view_next RENAME TO order_view;
    ALTER TABLE order_view_before RENAME TO order_view_next;
    ALTER TABLE order_view_event RENAME TO order_view_event_before;
    ALTER TABLE order_view_event_next RENAME TO order_view_event;
    ALTER TABLE order_view_event_before RENAME TO order_view_event_next;
$$;

-- Deletes what the consumer groups of rebuilds have recorded, max_rows versions at a time; true when there may be more. Their
-- rows in the inbox age out.
CREATE FUNCTION delete_order_view_rebuild_state(max_rows int) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS
$$
DECLARE
    deleted int;
BEGIN
    DELETE FROM parked_event WHERE consumer LIKE 'order-view-rebuild-%';
    DELETE FROM last_version
    WHERE ctid = ANY (ARRAY(SELECT ctid FROM last_version WHERE consumer LIKE 'order-view-rebuild-%' LIMIT max_rows));
    GET DIAGNOSTICS deleted = ROW_COUNT;
    RETURN deleted = max_rows;
END
$$;
