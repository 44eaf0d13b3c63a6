-- How to reach customers. All that is known here of a person, and gone when they are erased.
CREATE TABLE contact (
    customer_id uuid PRIMARY KEY,
    mail        text NOT NULL,
    phone       text NOT NULL
);

-- What customers are to be told, and whether they have been. A row is the letter itself, what it says was settled with the
-- event; but for the address, and the code of a verification.
CREATE TABLE notification (
    -- The order, the customer or the verification.
    about       uuid        NOT NULL,
    kind        text        NOT NULL CHECK (kind IN ('CONFIRMED', 'REJECTED', 'CANCELLED', 'WELCOME', 'CODE')),
    customer_id uuid        NOT NULL,
    subject     text        NOT NULL,
    body        text        NOT NULL,
    state       text        NOT NULL DEFAULT 'PENDING' CHECK (state IN ('PENDING', 'SENT', 'VOID', 'FAILED')),
    -- Including the one under way.
    attempts    int         NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    recorded_at timestamptz NOT NULL DEFAULT now(),
    -- When the next attempt may start. During an attempt: when another instance may take the sender for dead.
    due_at      timestamptz NOT NULL DEFAULT now(),
    sent_at     timestamptz,
    -- Why the last attempt failed.
    error       text,
    -- After which it is not sent any more.
    expires_at  timestamptz,
    PRIMARY KEY (about, kind),
    CHECK ((state = 'SENT') = (sent_at IS NOT NULL)),
    CHECK (state <> 'FAILED' OR error IS NOT NULL)
);

-- As large as the backlog, not as the history. To try one again that was given up: UPDATE notification SET state =
-- 'PENDING', attempts = 0, due_at = now() WHERE state = 'FAILED' AND …
CREATE INDEX notification_due ON notification (due_at) WHERE state = 'PENDING';

REVOKE DELETE ON notification FROM ${database}_app;
