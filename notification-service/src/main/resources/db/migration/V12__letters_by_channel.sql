-- Mails and codes are claimed apart, each in the order in which they are due: a backlog of the one is no work for the other.
DROP INDEX notification_due;
CREATE INDEX notification_mail_due ON notification (due_at) WHERE state = 'PENDING' AND kind <> 'CODE';
CREATE INDEX notification_sms_due ON notification (due_at) WHERE state = 'PENDING' AND kind = 'CODE';
