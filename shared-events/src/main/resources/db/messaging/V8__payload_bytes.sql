-- The payload of an event that is not JSON. Beside the text, not instead of it: an instance of the version before inserts text.
-- Constraints are not validated: the former ones hold for all rows, and reading them again would only hold up writers.
ALTER TABLE outbox
    ADD COLUMN payload_bytes bytea,
    -- Of the bytes, and so of the header content-type. NULL is JSON, or no payload.
    ADD COLUMN content_type  text,
    DROP CONSTRAINT outbox_check,
    ADD CONSTRAINT outbox_one_payload CHECK (
        CASE num_nonnulls(payload, payload_bytes)
            WHEN 0 THEN topic = 'customer-service'
            WHEN 1 THEN payload_bytes IS NULL
                        OR coalesce(content_type, '') <> '' AND octet_length(payload_bytes) BETWEEN 1 AND 262144
            ELSE false
        END) NOT VALID;

CREATE OR REPLACE FUNCTION erase_from_outbox(erased_key text) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS
$$
    UPDATE outbox SET payload = NULL, payload_bytes = NULL, content_type = NULL
    WHERE topic = 'customer-service' AND key = erased_key AND num_nonnulls(payload, payload_bytes) > 0
$$;
