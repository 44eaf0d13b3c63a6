"""Follows orders with Debian's python3-kafka, and counts each of their events once, however often it is delivered.

    order_reader_kafka.py GROUP DATABASE

DATABASE is a file of SQLite, which all members of GROUP share. Where the brokers are, and as whom to log in, is
in the environment, as `./orderly env reader` prints it; without KAFKA_USER there is no login. README.md says more.
"""
import json
import os
import signal
import sqlite3
import sys

from kafka import ConsumerRebalanceListener, KafkaConsumer
from kafka.errors import CommitFailedError

TOPIC = 'order-service'
# What this program was written for: docs/reference/messages.md.
TYPES = {'OrderPlaced', 'StockReserved', 'StockRejected', 'PaymentCaptured', 'PaymentDeclined', 'OrderConfirmed',
         'OrderRejected', 'OrderCancelled', 'PaymentRefunded'}
SCHEMA = 2

TABLES = '''
    PRAGMA journal_mode = WAL;
    CREATE TABLE IF NOT EXISTS seen (event TEXT PRIMARY KEY, at INTEGER NOT NULL DEFAULT (unixepoch()));
    CREATE TABLE IF NOT EXISTS orders (id TEXT PRIMARY KEY, status TEXT NOT NULL, events INTEGER NOT NULL);
    CREATE TABLE IF NOT EXISTS skipped (type TEXT PRIMARY KEY, records INTEGER NOT NULL);
    CREATE TABLE IF NOT EXISTS parked (
        partition INTEGER, position INTEGER, reason TEXT NOT NULL, key BLOB, value BLOB,
        PRIMARY KEY (partition, position));
    -- The topic keeps a week. An event is not delivered again after a month, so its id need not be known.
    DELETE FROM seen WHERE at < unixepoch() - 30 * 86400'''

# An order that is decided stays so, whatever is reported later.
ORDER = '''
    INSERT INTO orders (id, status, events) VALUES (?, ?, 1) ON CONFLICT (id) DO UPDATE SET
        status = CASE WHEN status IN ('CONFIRMED', 'REJECTED', 'CANCELLED') THEN status ELSE excluded.status END,
        events = events + 1'''
SKIPPED = 'INSERT INTO skipped VALUES (?, 1) ON CONFLICT DO UPDATE SET records = records + 1'
PARKED = 'INSERT INTO parked VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING'


def is_new(db, event):
    return db.execute('INSERT INTO seen (event) VALUES (?) ON CONFLICT DO NOTHING', [event]).rowcount == 1


def read(record, headers):
    """The event's id, the order's id and its status; ValueError, with the reason, when they cannot be read."""
    if 'id' not in headers:
        raise ValueError('header id is missing')
    if int(headers.get('schema', 1)) > SCHEMA:
        raise ValueError('schema %s is newer than %d' % (headers['schema'], SCHEMA))
    order = json.loads(record.value or b'')
    if not isinstance(order, dict) or not isinstance(order.get('status'), str) or not order['status'].isascii():
        raise ValueError('not an order with a status')
    if record.key is None or order.get('id') != record.key.decode():
        raise ValueError('the key is not the id')
    return headers['id'], order['id'], order['status']


def apply(db, record):
    """In the caller's transaction: that the event was seen is stored together with what follows from it."""
    headers = {name: (value or b'').decode(errors='replace') for name, value in record.headers}
    kind = headers.get('type', '')
    if kind not in TYPES:  # by a newer writer, and none of our business; not even its value is looked at
        if is_new(db, headers.get('id', '%s-%d@%d' % (TOPIC, record.partition, record.offset))):
            db.execute(SKIPPED, [kind])
        return
    try:
        event, order, status = read(record, headers)
    except (ValueError, RecursionError) as problem:  # put aside: it would fail again, and stop all behind it
        db.execute(PARKED, [record.partition, record.offset, str(problem), record.key, record.value])
        return
    if is_new(db, event):
        db.execute(ORDER, [order, status])


class Rebalance(ConsumerRebalanceListener):
    """There is nothing to hand over: it comes between two batches, when all that was read is stored and committed."""

    def on_partitions_revoked(self, revoked):
        print('revoked', sorted(p.partition for p in revoked), flush=True)

    def on_partitions_assigned(self, assigned):
        print('assigned', sorted(p.partition for p in assigned), flush=True)


def login():
    if 'KAFKA_USER' not in os.environ:
        return {}
    return {'security_protocol': os.environ['KAFKA_SECURITY_PROTOCOL'], 'sasl_mechanism': 'SCRAM-SHA-512',
            'sasl_plain_username': os.environ['KAFKA_USER'], 'sasl_plain_password': os.environ['KAFKA_PASSWORD']}


def main(group, database):
    stopping = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.append(True))
    db = sqlite3.connect(database)
    db.executescript(TABLES)
    consumer = KafkaConsumer(
        bootstrap_servers=os.environ['KAFKA_BOOTSTRAP_SERVERS'].split(','), group_id=group,
        auto_offset_reset='earliest', enable_auto_commit=False, max_poll_records=500, session_timeout_ms=10_000,
        **login())
    consumer.subscribe([TOPIC], listener=Rebalance())
    while not stopping:
        batch = [record for records in consumer.poll(timeout_ms=500).values() for record in records]
        if not batch:
            continue
        with db:  # one transaction, on disk when it ends; an error ends the program, and nothing was committed
            for record in batch:
                apply(db, record)
        try:
            consumer.commit()
        except CommitFailedError:  # the partitions are another's by now, who finds in seen what is done
            print('not committed: rebalanced', flush=True)
    consumer.close()  # leaves the group, so that others get the partitions now and not after session_timeout_ms
    print('stopped', flush=True)


if __name__ == '__main__':
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
