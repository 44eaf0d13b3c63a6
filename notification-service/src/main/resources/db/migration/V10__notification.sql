-- The only personal data of this database; a row is deleted when its customer is erased.
CREATE TABLE contact (
    customer_id uuid PRIMARY KEY,
    mail        text NOT NULL,
    phone       text NOT NULL
);

-- Messages to customers, with their delivery status. A row is complete when the event is processed, except
-- for the recipient and a verification's code: they are looked up when the message is sent.
CREATE TABLE notification (
    -- The order, the customer or the verification.
    reference_id uuid        NOT NULL,
    kind         text        NOT NULL CHECK (kind IN ('CONFIRMED', 'REJECTED', 'CANCELLED', 'WELCOME', 'CODE')),
    customer_id  uuid        NOT NULL,
    subject      text        NOT NULL,
    body         text        NOT NULL,
    state        text        NOT NULL DEFAULT 'PENDING' CHECK (state IN ('PENDING', 'SENT', 'VOID', 'FAILED')),
    -- Including one that is in progress.
    attempts     int         NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    recorded_at  timestamptz NOT NULL DEFAULT now(),
    -- When the next attempt may start. During an attempt: when its lease expires.
    due_at       timestamptz NOT NULL DEFAULT now(),
    sent_at      timestamptz,
    -- Why the last attempt failed.
    error        text,
    -- After which it is not sent any more.
    expires_at   timestamptz,
    PRIMARY KEY (reference_id, kind),
    CHECK ((state = 'SENT') = (sent_at IS NOT NULL)),
    CHECK (state <> 'FAILED' OR error IS NOT NULL)
);

-- As large as the backlog, not as the history. One per channel: claiming codes in the order in which they are
-- due must not scan a backlog of mail. To retry failed messages: UPDATE notification SET state = 'PENDING',
-- attempts = 0, due_at = now() WHERE state = 'FAILED' AND …
CREATE INDEX notification_mail_due ON notification (due_at) WHERE state = 'PENDING' AND kind <> 'CODE';
CREATE INDEX notification_sms_due ON notification (due_at) WHERE state = 'PENDING' AND kind = 'CODE';

REVOKE DELETE ON notification FROM ${database}_app;
