#!/usr/bin/env bash
# Follows orders with kcat and sqlite3 on the command line, and counts each of their events once, however often it is
# delivered.
#
#     order-reader.sh DATABASE
#
# kcat commits what it has printed, not what has been done with it. So it is in no group: the database holds how far it
# has read, in the transaction of the work. That is as good as a group for one reader of all partitions; there is no
# rebalance, and no second reader takes over.
# Where the brokers are, and as whom to log in, is in the environment, as `./orderly env reader` prints it; without
# KAFKA_USER there is no login. README.md says more.
set -euo pipefail

topic=order-service
database=${1:?order-reader.sh DATABASE}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
stopping=no
trap 'stopping=yes' TERM INT # bash runs it when the command at hand has ended, so between two steps

# In a file that its owner alone can read: others see the arguments of a process, not its files.
(umask 077 && {
  echo "bootstrap.servers=$KAFKA_BOOTSTRAP_SERVERS"
  if [ -n "${KAFKA_USER:-}" ]; then
    echo "security.protocol=$KAFKA_SECURITY_PROTOCOL"
    echo "sasl.mechanism=SCRAM-SHA-512"
    echo "sasl.username=$KAFKA_USER"
    echo "sasl.password=$KAFKA_PASSWORD"
  fi
} >"$work/kafka")

query() {
  sqlite3 -bail -cmd '.timeout 5000' "$database" "$@"
}

# The last header of a name; kcat has names and values by turns in one array.
header() {
  echo "(SELECT content.value FROM json_each(line, '\$.headers') AS name JOIN json_each(line, '\$.headers') AS content
      ON content.key = name.key + 1 AND name.key % 2 = 0 WHERE name.value = '$1' ORDER BY name.key DESC LIMIT 1)"
}

query >"$work/journal" <<'SQL'
PRAGMA journal_mode = WAL;
CREATE TABLE IF NOT EXISTS seen (event TEXT PRIMARY KEY, at INTEGER NOT NULL DEFAULT (unixepoch()));
CREATE TABLE IF NOT EXISTS orders (id TEXT PRIMARY KEY, status TEXT NOT NULL, events INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS skipped (type TEXT PRIMARY KEY, records INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS parked (
  partition INTEGER, position INTEGER, reason TEXT NOT NULL, key BLOB, value BLOB, PRIMARY KEY (partition, position));
CREATE TABLE IF NOT EXISTS progress (partition INTEGER PRIMARY KEY, next INTEGER NOT NULL);
-- The topic keeps a week. An event is not delivered again after a month, so its id need not be known.
DELETE FROM seen WHERE at < unixepoch() - 30 * 86400;
SQL

# The batch in one transaction. What was written for: the types and the schema of docs/reference/messages.md.
cat >"$work/apply" <<SQL
CREATE TEMP TABLE batch (line TEXT);
.mode ascii
.separator "\037" "\n"
.import $work/batch batch
BEGIN IMMEDIATE;
CREATE TEMP TABLE record AS
  SELECT line ->> 'partition' AS partition, line ->> 'offset' AS position, line ->> 'key' AS key,
    line ->> 'payload' AS value, ifnull($(header type), '') AS type, $(header id) AS event,
    ifnull($(header schema), '1') AS schema, NULL AS problem
  FROM batch ORDER BY 2;
-- By a newer writer, and none of our business; not even its value is looked at.
CREATE TEMP TABLE unknown AS
  SELECT type, coalesce(event, '$topic-' || partition || '@' || position) AS event FROM record
  WHERE type NOT IN ('OrderPlaced', 'StockReserved', 'StockRejected', 'PaymentCaptured', 'PaymentDeclined',
    'OrderConfirmed', 'OrderRejected', 'OrderCancelled', 'PaymentRefunded');
INSERT INTO skipped SELECT type, count(DISTINCT event) FROM unknown WHERE event NOT IN (SELECT event FROM seen)
  GROUP BY type ON CONFLICT DO UPDATE SET records = records + excluded.records;
INSERT INTO seen (event) SELECT event FROM unknown WHERE true ON CONFLICT DO NOTHING;
DELETE FROM record WHERE type IN (SELECT type FROM unknown);
-- Put aside: it would fail again, and stop all behind it.
UPDATE record SET problem = CASE
  WHEN event IS NULL THEN 'header id is missing'
  WHEN CAST(schema AS INTEGER) NOT BETWEEN 1 AND 2 THEN 'schema ' || schema || ' is newer than 2'
  WHEN NOT ifnull(json_valid(value), 0) THEN 'no JSON'
  WHEN json_type(value, '\$.status') IS NOT 'text' THEN 'not an order with a status'
  WHEN value ->> 'id' IS NOT key THEN 'the key is not the id' END;
INSERT INTO parked SELECT partition, position, problem, key, value FROM record WHERE problem IS NOT NULL
  ON CONFLICT DO NOTHING;
-- That an event was seen is stored together with what follows from it. An order that is decided stays so.
CREATE TEMP TABLE fresh AS
  SELECT event, key, value ->> 'status' AS status, min(position) AS position FROM record
  WHERE problem IS NULL AND event NOT IN (SELECT event FROM seen) GROUP BY event;
INSERT INTO seen (event) SELECT event FROM fresh;
INSERT INTO orders SELECT key, status, 1 FROM fresh WHERE true ORDER BY position ON CONFLICT (id) DO UPDATE SET
  status = CASE WHEN status IN ('CONFIRMED', 'REJECTED', 'CANCELLED') THEN status ELSE excluded.status END,
  events = events + 1;
INSERT INTO progress SELECT line ->> 'partition', max(line ->> 'offset') + 1 FROM batch GROUP BY 1
  ON CONFLICT DO UPDATE SET next = excluded.next;
COMMIT;
SQL

while [ "$stopping" = no ]; do
  for partition in $(kcat -q -F "$work/kafka" -L -t "$topic" | sed -n 's/^    partition \([0-9]*\),.*/\1/p'); do
    next=$(query "SELECT next FROM progress WHERE partition = $partition")
    # Until the end (-e), at most 500. What retention has deleted before it was read is left out.
    kcat -q -F "$work/kafka" -X auto.offset.reset=earliest -C -t "$topic" -p "$partition" -o "${next:-beginning}" \
      -c 500 -e -J >"$work/batch"
    if [ -s "$work/batch" ]; then
      query <"$work/apply" # ends this program when it fails; nothing of the batch was stored then
    fi
  done
  sleep 0.5
done
echo stopped
