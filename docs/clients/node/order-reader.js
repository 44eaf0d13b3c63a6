/*
 * Follows orders with kafkajs, and counts each of their events once, however often it is delivered.
 *
 *     node order-reader.js GROUP DATABASE
 *
 * DATABASE is a file of SQLite, which all members of GROUP share. Where the brokers are, and as whom to log in, is in
 * the environment, as `./orderly env reader` prints it; without KAFKA_USER there is no login. ../README.md says more.
 * Events may be Avro, too: then ORDERLY_REGISTRY_URL is the registry of their schemas.
 */
import avro from 'avsc';
import { Kafka, logLevel } from 'kafkajs';
import Database from 'libsql';

const TOPIC = 'order-service';
// What this program was written for: docs/reference/messages.md.
const TYPES = new Set(['OrderPlaced', 'StockReserved', 'StockRejected', 'PaymentCaptured', 'PaymentDeclined',
  'OrderConfirmed', 'OrderRejected', 'OrderCancelled', 'PaymentRefunded']);
const SCHEMA = 2;

const TABLES = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  PRAGMA busy_timeout = 5000;
  CREATE TABLE IF NOT EXISTS seen (event TEXT PRIMARY KEY, at INTEGER NOT NULL DEFAULT (unixepoch()));
  CREATE TABLE IF NOT EXISTS orders (id TEXT PRIMARY KEY, status TEXT NOT NULL, events INTEGER NOT NULL);
  CREATE TABLE IF NOT EXISTS skipped (type TEXT PRIMARY KEY, records INTEGER NOT NULL);
  CREATE TABLE IF NOT EXISTS parked (
    partition INTEGER, position INTEGER, reason TEXT NOT NULL, key BLOB, value BLOB,
    PRIMARY KEY (partition, position));
  -- The topic keeps a week. An event is not delivered again after a month, so its id need not be known.
  DELETE FROM seen WHERE at < unixepoch() - 30 * 86400`;

const [group, file] = process.argv.slice(2);
if (!file) {
  console.error('order-reader.js GROUP DATABASE');
  process.exit(1);
}
const db = new Database(file);
db.exec(TABLES);
const insertSeen = db.prepare('INSERT INTO seen (event) VALUES (?) ON CONFLICT DO NOTHING');
// An order that is decided stays so, whatever is reported later.
const upsertOrder = db.prepare(`
  INSERT INTO orders (id, status, events) VALUES (?, ?, 1) ON CONFLICT (id) DO UPDATE SET
    status = CASE WHEN status IN ('CONFIRMED', 'REJECTED', 'CANCELLED') THEN status ELSE excluded.status END,
    events = events + 1`);
const countSkipped = db.prepare('INSERT INTO skipped VALUES (?, 1) ON CONFLICT DO UPDATE SET records = records + 1');
const insertParked = db.prepare('INSERT INTO parked VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING');

const isNew = (event) => insertSeen.run(event).changes === 1;

/** The last of each name. */
const headersOf = (message) => Object.fromEntries(
  Object.entries(message.headers ?? {}).map(([name, value]) => [name, [value].flat().at(-1)?.toString()]));

/** Types of Avro by the id of their schema, which never stands for another one, so each is fetched once. */
const avroTypes = new Map();
const AVRO = 'application/avro';
/** Behind a zero byte; null when there is none. */
const schemaId = (value) => value?.length >= 5 && value[0] === 0 ? value.readUInt32BE(1) : null;

/** Throws when the registry is away, so that the batch is read again. */
async function fetchSchemas(messages) {
  for (const message of messages) {
    const id = headersOf(message)['content-type'] === AVRO ? schemaId(message.value) : null;
    if (id === null || avroTypes.has(id)) {
      continue;
    }
    const { ORDERLY_REGISTRY_URL: url, ORDERLY_REGISTRY_USER: user, ORDERLY_REGISTRY_PASSWORD: password } = process.env;
    const login = Buffer.from(`${user}:${password}`).toString('base64');
    const answer = await fetch(`${url}/schemas/ids/${id}`, { headers: { Authorization: `Basic ${login}` } });
    if (answer.ok) {
      avroTypes.set(id, avro.Type.forSchema(JSON.parse((await answer.json()).schema)));
    } else if (answer.status !== 404) {
      throw new Error(`the registry answered ${answer.status}`);
    }
  }
}

/** JSON; or Avro, behind a zero byte and the four of the schema's id. */
function decode(value, contentType) {
  if (contentType === 'application/json') {
    return JSON.parse(value ?? '');
  }
  const type = avroTypes.get(schemaId(value));
  if (contentType !== AVRO || !type) {
    throw new Error(`not JSON, not Avro of a schema in the registry: ${contentType}`);
  }
  return type.fromBuffer(value.subarray(5));
}

/** The event's id, the order's id and its status. Throws, with the reason, when they cannot be read. */
function read(message, headers) {
  if (!headers.id) {
    throw new Error('header id is missing');
  }
  if (!(Number(headers.schema ?? 1) <= SCHEMA)) {
    throw new Error(`schema ${headers.schema} is newer than ${SCHEMA}`);
  }
  const order = decode(message.value, headers['content-type'] ?? 'application/json');
  if (typeof order?.status !== 'string') {
    throw new Error('not an order with a status');
  }
  if (message.key === null || order.id !== message.key.toString()) {
    throw new Error('the key is not the id');
  }
  return { event: headers.id, order: order.id, status: order.status };
}

/** In the caller's transaction: that the event was seen is stored together with what follows from it. */
function apply(partition, message) {
  const headers = headersOf(message);
  const type = headers.type ?? '';
  if (!TYPES.has(type)) { // by a newer writer, and none of our business; not even its value is looked at
    if (isNew(headers.id ?? `${TOPIC}-${partition}@${message.offset}`)) {
      countSkipped.run(type);
    }
    return;
  }
  let known;
  try {
    known = read(message, headers);
  } catch (problem) { // put aside: it would fail again, and stop all behind it
    insertParked.run(partition, Number(message.offset), problem.message, message.key, message.value);
    return;
  }
  if (isNew(known.event)) {
    upsertOrder.run(known.order, known.status);
  }
}

const applyAll = db.transaction((partition, messages) => messages.forEach((message) => apply(partition, message)));

const { KAFKA_BOOTSTRAP_SERVERS: servers, KAFKA_USER: username, KAFKA_PASSWORD: password } = process.env;
const kafka = new Kafka({
  brokers: servers.split(','),
  logLevel: logLevel.WARN,
  ...(username && { sasl: { mechanism: 'scram-sha-512', username, password } }),
});
const consumer = kafka.consumer({ groupId: group, sessionTimeout: 10_000 });

// There is nothing to hand over at a rebalance: what was read of a batch is stored, or its transaction was rolled back.
consumer.on(consumer.events.REBALANCING, () => console.log('rebalancing'));
consumer.on(consumer.events.GROUP_JOIN, ({ payload: { memberAssignment } }) =>
  console.log('assigned', memberAssignment[TOPIC] ?? []));
// kafkajs repeats by itself what may succeed the next time.
consumer.on(consumer.events.CRASH, ({ payload }) => {
  if (!payload.restart) {
    process.exit(1);
  }
});
for (const signal of ['SIGTERM', 'SIGINT']) {
  // Waits for the batch, and leaves the group, so that others get the partitions now and not after sessionTimeout.
  process.once(signal, () => consumer.disconnect().then(() => {
    db.close();
    console.log('stopped');
  }));
}
await consumer.connect();
await consumer.subscribe({ topic: TOPIC, fromBeginning: true });
await consumer.run({
  autoCommit: false,
  eachBatchAutoResolve: false,
  eachBatch: async ({ batch, resolveOffset }) => {
    await fetchSchemas(batch.messages);
    applyAll(batch.partition, batch.messages); // one transaction, on disk when this returns
    resolveOffset(batch.lastOffset());
    const next = String(BigInt(batch.lastOffset()) + 1n);
    // Fails when the partition is another's by now, who finds in seen what is done; kafkajs then joins again.
    await consumer.commitOffsets([{ topic: TOPIC, partition: batch.partition, offset: next }]);
  },
});
