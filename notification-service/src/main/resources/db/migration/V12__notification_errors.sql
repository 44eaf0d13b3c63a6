-- To blank the errors of a customer who is erased. Few messages have one: a success clears it.
CREATE INDEX notification_errors ON notification (customer_id) WHERE error IS NOT NULL;
