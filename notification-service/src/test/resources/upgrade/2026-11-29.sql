-- The rest of the database notifications at commit ce37c1e (2026-11-29), like the shared part. Never edited.
INSERT INTO flyway_schema_history VALUES
    (2, '10', 'notification', 'SQL', 'db/migration/V10__notification.sql', -948529090,
     'notifications_owner', now(), 20, true),
    (3, '11', 'client log', 'SQL', 'db/migration/V11__client_log.sql', -478408194,
     'notifications_owner', now(), 20, true);
CREATE TABLE contact (
    customer_id uuid PRIMARY KEY,
    mail        text NOT NULL,
    phone       text NOT NULL
);
CREATE TABLE notification (
    reference_id uuid        NOT NULL,
    kind         text        NOT NULL CHECK (kind IN ('CONFIRMED', 'REJECTED', 'CANCELLED', 'WELCOME', 'CODE')),
    customer_id  uuid        NOT NULL,
    subject      text        NOT NULL,
    body         text        NOT NULL,
    state        text        NOT NULL DEFAULT 'PENDING' CHECK (state IN ('PENDING', 'SENT', 'VOID', 'FAILED')),
    attempts     int         NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    recorded_at  timestamptz NOT NULL DEFAULT now(),
    due_at       timestamptz NOT NULL DEFAULT now(),
    sent_at      timestamptz,
    error        text,
    expires_at   timestamptz,
    PRIMARY KEY (reference_id, kind),
    CHECK ((state = 'SENT') = (sent_at IS NOT NULL)),
    CHECK (state <> 'FAILED' OR error IS NOT NULL)
);
CREATE INDEX notification_mail_due ON notification (due_at) WHERE state = 'PENDING' AND kind <> 'CODE';
CREATE INDEX notification_sms_due ON notification (due_at) WHERE state = 'PENDING' AND kind = 'CODE';
REVOKE DELETE ON notification FROM notifications_app;
CREATE TABLE client_log (
    received_at timestamptz NOT NULL,
    partition   int         NOT NULL,
    "offset"    bigint      NOT NULL,
    client_id   text        NOT NULL,
    at          timestamptz NOT NULL,
    level       text        NOT NULL CHECK (level IN ('TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR')),
    message     text        NOT NULL
) PARTITION BY RANGE (received_at);
CREATE TABLE client_log_default PARTITION OF client_log DEFAULT;
CREATE INDEX client_log_by_client ON client_log (client_id, at);
CREATE TABLE client_log_progress (
    partition   int    PRIMARY KEY,
    next_offset bigint NOT NULL
) WITH (fillfactor = 50);
INSERT INTO retention VALUES ('client_log', 7);
SELECT maintain_partitions();
REVOKE UPDATE, DELETE, TRUNCATE ON client_log FROM notifications_app;
INSERT INTO contact VALUES ('01a20000-0000-7000-8000-0000000000c1', 'ann@shop.example', '+4915112345678');
INSERT INTO notification (reference_id, kind, customer_id, subject, body, state, sent_at, attempts) VALUES
    ('01a20000-0000-7000-8000-000000000001', 'CONFIRMED', '01a20000-0000-7000-8000-0000000000c1',
     'Order confirmed', 'Thank you.', 'SENT', now(), 1),
    ('01a20000-0000-7000-8000-000000000002', 'CONFIRMED', '01a20000-0000-7000-8000-0000000000c1',
     'Order confirmed', 'Thank you.', 'PENDING', NULL, 0);
INSERT INTO client_log VALUES (now(), 0, 41, 'web-1', now(), 'INFO', 'started');
INSERT INTO client_log_progress VALUES (0, 42);
