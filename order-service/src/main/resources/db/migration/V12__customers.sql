-- Registered customers. Orders have no foreign key to them: a customer may order without being registered, and may be
-- erased while the order stays.
CREATE TABLE customer (
    id                    uuid        PRIMARY KEY,
    status                text        NOT NULL CHECK (status IN ('REGISTERED', 'VERIFIED', 'ERASED')),
    name                  text,
    mail                  text,
    phone                 text,
    -- The newest code, as a keyed hash; the code itself is not stored.
    verification          uuid,
    code_hash             bytea,
    code_sent_at          timestamptz NOT NULL,
    tries_left            int         NOT NULL CHECK (tries_left >= 0),
    codes                 int         NOT NULL CHECK (codes > 0),
    codes_since           timestamptz NOT NULL,
    erased_at             timestamptz,
    tombstone_republished boolean     NOT NULL DEFAULT false,
    -- That of the last event that this service published about the customer.
    version               int         NOT NULL CHECK (version > 0),
    CHECK ((status = 'ERASED') = (erased_at IS NOT NULL)),
    -- All personal data of an erased customer is gone, all of any other is there.
    CHECK (num_nonnulls(name, mail, phone, verification, code_hash) = CASE status WHEN 'ERASED' THEN 0 ELSE 5 END)
) WITH (fillfactor = 80);
CREATE INDEX customer_tombstones ON customer (erased_at) WHERE status = 'ERASED' AND NOT tombstone_republished;

-- Idempotency keys of registrations; erased with the customer.
CREATE TABLE registration_key (
    key         text PRIMARY KEY,
    customer_id uuid NOT NULL UNIQUE
);
