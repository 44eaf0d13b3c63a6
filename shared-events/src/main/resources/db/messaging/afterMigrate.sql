-- At every start, and before the application accepts its first write: an outbox row written while there is no slot would
-- never reach the topic.
SELECT pg_create_logical_replication_slot('outbox_${database}', 'pgoutput')
WHERE NOT EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = 'outbox_${database}');

-- Whatever the time since the last run: a row for which there is no partition yet would stay in the default one for good.
SELECT keep_partitions();
