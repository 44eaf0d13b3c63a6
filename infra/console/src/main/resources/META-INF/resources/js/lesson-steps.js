// The lessons: what each step says, does and finds.
import { html } from './preact.js';
import { money, short } from './elements.js';
import { get, orders, post } from './http.js';

const POLL_MS = 400;
const MAX_WAIT_MS = 30_000;

/** Waits for a condition, not for a time. */
async function until(what, ask) {
  const end = Date.now() + MAX_WAIT_MS;
  for (;;) {
    const answer = await ask();
    if (answer) {
      return answer;
    }
    if (Date.now() > end) {
      throw new Error(`Waited ${MAX_WAIT_MS / 1_000} s for ${what}, without success. Is a fault still in effect?`);
    }
    await new Promise((resolve) => { setTimeout(resolve, POLL_MS); });
  }
}

/** An operator places no orders: the load does, for a moment. */
async function placeOne() {
  const before = await get('/api/load');
  await post('/api/load', { ratePerSecond: 1 });
  try {
    await until('an order to be accepted', async () => (await get('/api/load')).placed > before.placed);
  } finally {
    await post('/api/load', { ratePerSecond: before.ratePerSecond });
  }
}

const newest = async () => (await get(orders('/orders?limit=1'))).orders[0];
const timeline = (order) => get(`/api/order-timelines/${order}`);
const link = (order) => html`<a href=${`#/orders/${order}`}>order <code>${short(order)}</code></a>`;

const fault = (kind) => post(`/api/faults/${kind}`);

/** A freeze ends by itself after a while; then there is nothing to end. */
const endFault = (kind) => fault(kind).catch((problem) => {
  if (problem.status !== 404) {
    throw problem;
  }
});

const DUAL_WRITE = {
  id: 'dual-write',
  title: 'Dual write against outbox',
  about: 'A service that stores an order and then sends a message has two places to write to, and can die '
    + 'between them.',
  steps: [
    {
      title: 'The trap',
      text: [
        'Store the order, then publish that it was placed: if the process dies in between, or the '
          + 'broker does not answer, there is an order that no other service ever hears of. Publish '
          + 'first, and there may be an event of an order that does not exist.',
        'No order of the two is right, and repeating does not help a process that is gone. With an '
          + 'outbox there is one write: the event is a row in the transaction of the order.',
      ],
    },
    {
      title: 'Stop what publishes',
      text: ['Kafka Connect carries rows from the outboxes to the topic. Freeze it for 20 seconds: nothing '
        + 'is published until it goes on, as if the broker were gone.'],
      button: 'Freeze Kafka Connect',
      run: async () => {
        const last = await newest();
        await fault('pause-connect');
        return { facts: { last: last?.id ?? null }, lines: ['Kafka Connect answers nothing any more.'] };
      },
      look: () => html`On the <a href="#/map">map</a> the relays turn red.`,
    },
    {
      title: 'Order all the same',
      text: ['Place one order now. A dual write would have to fail here, or lose the event.'],
      button: 'Place an order',
      run: async () => {
        const placed = Date.now();
        await placeOne();
        return { facts: { placed }, lines: ['The order was accepted, although nothing can be published.'] };
      },
      look: () => 'It is not in the list of orders yet: the read model is made from the topic alone.',
    },
    {
      title: 'Let it publish',
      text: ['Wake Kafka Connect. It reads on in the log of the database where it stopped.'],
      button: 'Wake Kafka Connect',
      run: async ({ last }) => {
        await endFault('resume-connect');
        const order = await until('the order to be decided', async () => {
          const now = await newest();
          return now && now.id !== last && ['CONFIRMED', 'REJECTED', 'CANCELLED'].includes(now.status) ? now : null;
        });
        const first = (await timeline(order.id)).events[0];
        const waited = first ? (first.timestamp - Date.parse(first.value.occurredAt)) / 1_000 : 0;
        return {
          facts: { order: order.id },
          lines: [`Its event was in the outbox for ${waited.toFixed(1)} s, then on the topic.`,
            `The order is ${order.status}.`],
        };
      },
      look: ({ order }) => (order
        ? html`The stages of ${link(order)}: the first bar, from outbox to topic, is as long as the freeze.`
        : 'The first stage of the order: as long as the freeze.'),
    },
  ],
};

const INBOX = {
  id: 'inbox',
  title: 'A handler without inbox against one with',
  about: 'Kafka delivers at least once. A handler that does not know what it has seen takes the money twice.',
  steps: [
    {
      title: 'The trap',
      text: [
        'A consumer that dies after its work and before it has committed its offset gets the same '
          + 'events again. A relay that restarts may publish a row twice. Neither is a fault of Kafka: at'
          + ' least once is what was promised.',
        'With an inbox the ids of events are stored in the transaction of their effect. A second '
          + 'delivery finds its id, and does nothing.',
      ],
    },
    {
      title: 'An order that was paid',
      text: ['Place one order and wait until it is confirmed.'],
      button: 'Place an order',
      run: async () => {
        const last = await newest();
        await placeOne();
        const order = await until('the order to be confirmed', async () => {
          const now = await newest();
          return now && now.id !== last?.id && now.status === 'CONFIRMED' ? now : null;
        });
        const captures = await capturesOf(order.id);
        return {
          facts: { order: order.id, captures },
          lines: [`It is confirmed, for ${money(order.total)}.`, `The ledger has ${captures} capture for it.`],
        };
      },
      look: ({ order }) => (order
        ? html`The rows of ${link(order)}: one in the ledger, and one in the inbox per group.`
          : 'The rows of the order.'),
    },
    {
      title: 'Deliver it again',
      text: ['Publish the newest event on the topic once more, as a relay does that lost its place. Do it as '
        + 'often as you like.'],
      button: 'Publish a copy',
      run: async () => {
        await fault('duplicate');
        return { facts: {}, lines: ['A copy with the id of the original is on the topic.'] };
      },
      look: () => html`On the page <a href="#/lag">Lag</a> every group is behind for a moment, and catches up.`,
    },
    {
      title: 'What it did',
      text: ['Compare the ledger with before. Without the inbox there would be a second capture; the lab runs '
        + 'that variant, too: ./orderly chaos --mutate NO_DEDUPLICATION.'],
      button: 'Compare',
      run: async ({ order, captures }) => {
        const now = await capturesOf(order);
        return { facts: {}, lines: [`Captures of the order: ${captures} before, ${now} now${now === captures
          ? ': no copy took effect.' : ': a copy took effect!'}`] };
      },
      look: () => html`The board on the page <a href="#/faults">Faults</a> stays green.`,
    },
  ],
};

async function capturesOf(order) {
  const { rows } = await timeline(order);
  return (rows?.ledger ?? []).filter((row) => row.kind === 'CAPTURE').length;
}

export const LESSONS = [DUAL_WRITE, INBOX];
