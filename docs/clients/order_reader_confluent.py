"""Follows orders with confluent-kafka, and counts each of their events once, however often it is delivered.

    order_reader_confluent.py GROUP DATABASE

DATABASE is a file of SQLite, which all members of GROUP share. Where the brokers are, and as whom to log in, is
in the environment, as `./orderly env reader` prints it; without KAFKA_USER there is no login. README.md says more.
Events may be Avro, too: then ORDERLY_REGISTRY_URL is the registry of their schemas; needs Debian's python3-avro.
"""
import base64
import functools
import io
import json
import os
import signal
import sqlite3
import sys
import urllib.error
import urllib.request

from confluent_kafka import Consumer, KafkaException

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


@functools.cache
def avro_reader(number):
    """By the id of the schema, which never stands for another one, so each is fetched once."""
    import avro.io  # here, since only Avro needs it
    import avro.schema
    request = urllib.request.Request('%s/schemas/ids/%d' % (os.environ['ORDERLY_REGISTRY_URL'], number))
    login = '%s:%s' % (os.environ['ORDERLY_REGISTRY_USER'], os.environ['ORDERLY_REGISTRY_PASSWORD'])
    request.add_header('Authorization', 'Basic ' + base64.b64encode(login.encode()).decode())
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            schema = avro.schema.parse(json.load(answer)['schema'])
    except urllib.error.HTTPError as problem:
        if problem.code != 404:
            raise
        raise ValueError('schema id %d is not in the registry' % number)
    return lambda value: avro.io.DatumReader(schema).read(avro.io.BinaryDecoder(io.BytesIO(value)))


def decode(value, content_type):
    """JSON; or Avro, behind a zero byte and the four of the schema's id."""
    if content_type == 'application/json':
        return json.loads(value)
    if content_type != 'application/avro' or len(value) < 5 or value[0] != 0:
        raise ValueError('not JSON, not Avro: ' + content_type)
    read_avro = avro_reader(int.from_bytes(value[1:5], 'big'))  # a registry that is away ends the program
    try:
        return read_avro(value[5:])
    except Exception as problem:
        raise ValueError('no Avro of its schema: %r' % problem)


def read(record, headers):
    """The event's id, the order's id and its status; ValueError, with the reason, when they cannot be read."""
    if 'id' not in headers:
        raise ValueError('header id is missing')
    if int(headers.get('schema', 1)) > SCHEMA:
        raise ValueError('schema %s is newer than %d' % (headers['schema'], SCHEMA))
    order = decode(record.value() or b'', headers.get('content-type', 'application/json'))
    if not isinstance(order, dict) or not isinstance(order.get('status'), str) or not order['status'].isascii():
        raise ValueError('not an order with a status')
    if record.key() is None or str(order.get('id')) != record.key().decode():
        raise ValueError('the key is not the id')
    return headers['id'], str(order['id']), order['status']


def apply(db, record):
    """In the caller's transaction: that the event was seen is stored together with what follows from it."""
    headers = {name: (value or b'').decode(errors='replace') for name, value in record.headers() or []}
    kind = headers.get('type', '')
    if kind not in TYPES:  # by a newer writer, and none of our business; not even its value is looked at
        if is_new(db, headers.get('id', '%s-%d@%d' % (TOPIC, record.partition(), record.offset()))):
            db.execute(SKIPPED, [kind])
        return
    try:
        event, order, status = read(record, headers)
    except (ValueError, RecursionError) as problem:  # put aside: it would fail again, and stop all behind it
        db.execute(PARKED, [record.partition(), record.offset(), str(problem), record.key(), record.value()])
        return
    if is_new(db, event):
        db.execute(ORDER, [order, status])


def consumer_of(group):
    settings = {
        'bootstrap.servers': os.environ['KAFKA_BOOTSTRAP_SERVERS'],
        'group.id': group,
        'auto.offset.reset': 'earliest',
        'enable.auto.commit': False,
        'session.timeout.ms': 10_000,
        # A rebalance takes from a member only the partitions that move; it reads the others on.
        'partition.assignment.strategy': 'cooperative-sticky',
    }
    if 'KAFKA_USER' in os.environ:
        settings |= {
            'security.protocol': os.environ['KAFKA_SECURITY_PROTOCOL'], 'sasl.mechanism': 'SCRAM-SHA-512',
            'sasl.username': os.environ['KAFKA_USER'], 'sasl.password': os.environ['KAFKA_PASSWORD']}
    return Consumer(settings)


def rebalance(what):
    """There is nothing to hand over: it comes between two batches, when all that was read is stored and committed."""
    return lambda _, partitions: print(what, sorted(p.partition for p in partitions), flush=True)


def main(group, database):
    stopping = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.append(True))
    db = sqlite3.connect(database)
    db.executescript(TABLES)
    consumer = consumer_of(group)
    consumer.subscribe([TOPIC], on_assign=rebalance('assigned'), on_revoke=rebalance('revoked'))
    while not stopping:
        batch = consumer.consume(500, timeout=0.5)
        for record in batch:
            if record.error():
                raise KafkaException(record.error())  # such as that this user may not read the topic
        if not batch:
            continue
        with db:  # one transaction, on disk when it ends; an error ends the program, and nothing was committed
            for record in batch:
                apply(db, record)
        try:
            consumer.commit(asynchronous=False)
        except KafkaException as problem:  # rebalanced, say: who reads it again finds in seen what is done
            print('not committed:', problem, flush=True)
    consumer.close()  # leaves the group, so that others get the partitions now and not after session.timeout.ms
    print('stopped', flush=True)


if __name__ == '__main__':
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
