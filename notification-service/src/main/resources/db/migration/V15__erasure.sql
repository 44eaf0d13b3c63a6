-- To cancel the messages of a customer who is erased, without a scan of the history. As large as the backlog.
CREATE INDEX notification_cancellable ON notification (customer_id)
    WHERE state = 'PENDING' AND kind IN ('WELCOME', 'CODE');
