-- Of the topics of V1, those that the service's relay may write to (infra/kafka/users.json): a row for another would stop the
-- relay, and all events behind it. Not validated: reading all rows again would only hold up writers.
ALTER TABLE outbox ADD CONSTRAINT outbox_topic_is_own CHECK (
    CASE topic
        WHEN 'order-service' THEN '${service}' <> 'notification-service'
        WHEN 'customer-service' THEN '${service}' = 'order-service'
        ELSE true
    END) NOT VALID;
