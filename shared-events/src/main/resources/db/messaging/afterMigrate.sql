-- At every start, and before the application accepts its first write: an outbox row written while there is no slot would
-- never reach the topic. It waits for the running transactions of all databases, however long they take.
SET lock_timeout = 0;
SELECT pg_create_logical_replication_slot('outbox_${database}', 'pgoutput')
WHERE NOT EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = 'outbox_${database}');
RESET lock_timeout;

-- However long ago the last run was: a row without a partition of its day would stay in the default one. Nothing is dropped
-- here, or a service that restarts without end would soon believe a wrong clock.
SELECT create_partitions(parent) FROM retention ORDER BY parent;
