// The running system as a picture, live: who is there, how they are, what moves between them.
import { html, useEffect, useRef, useState } from './preact.js';
import { Awaiting, Empty, Failure, Health, number, short, useNow } from './elements.js';
import { onOrder, read, useStore } from './store.js';

const SERVICES = ['order-service', 'inventory-service', 'payment-service', 'notification-service'];
const DATABASE = { 'order-service': 'orders', 'inventory-service': 'inventory', 'payment-service': 'payments',
  'notification-service': 'notifications' };
const GROUPS = {
  'order-consumer-group': 'order-service', 'order-view-consumer-group': 'order-service',
  'inventory-consumer-group': 'inventory-service', 'payment-consumer-group': 'payment-service',
  'notification-consumer-group': 'notification-service',
};
const TOPIC = 'order-service';
const STALE_MS = 5_000;
const DOT_MS = 900;
const MAX_DOTS = 40;
const MAX_LOG = 8;

// The columns, from left to right; rows are spread over the height.
const COLUMN = { client: 10, service: 140, relay: 370, topic: 548, group: 775, outside: 972 };
const WIDTH = { client: 95, service: 190, relay: 134, group: 165, outside: 162 };
const ROW = (index, count) => 70 + ((index + 0.5) * 430) / count;

export function SystemMap({ session }) {
  const system = useStore((state) => state.system);
  const live = useStore((state) => state.live);
  const [follow, setFollow] = useState('');
  return html`
    <div class="head"><div><h1 tabindex="-1">Map</h1>
      <p class="lead">What runs, how it is, and what moves through it, now.</p></div>
      <label class="field follow">Follow one order
        <input value=${follow} onInput=${(event) => setFollow(event.target.value.trim())} list="recent"
          placeholder="all orders" spellcheck=${false} /></label>
      <datalist id="recent">${read('order') && html`<option value=${read('order')}>the order you opened last</option>`}
        </datalist></div>
    ${live === 'lost' && html`<${Failure}
      problem=${{ message: 'The connection to the console is lost; what you see is old.' }} />`}
    ${!system && live !== 'lost' && html`<${Awaiting} session=${session} />`}
    ${system && html`<${Figures} system=${system} /><${Picture} system=${system} follow=${follow} />
      <div class="halves"><${Parts} system=${system} /><${Log} follow=${follow} /></div>`}`;
}

function Figures({ system }) {
  const now = useNow();
  const { rates = {}, parked } = system;
  const down = system.parts.filter((part) => part.state !== 'up');
  const lag = Math.max(0, ...system.groups.filter((group) => GROUPS[group.name]).map((group) => group.lag ?? 0));
  const figures = [
    ['Placed', `${number(Math.round((rates.placed ?? 0) * 10) / 10)}/s`], ['Confirmed',
      `${number(Math.round((rates.confirmed ?? 0) * 10) / 10)}/s`],
    ['Largest lag', `${number(lag)} records`], ['Parked', number(parked ?? 0), parked ? 'warn' : ''],
    ['Parts', down.length ? `${down.length} not up` : 'all up', down.length ? 'bad' : 'ok'],
  ];
  return html`<dl class="figures" aria-live="off">${figures.map(([name, value, kind]) => html`
    <div class=${kind}><dt>${name}</dt><dd>${value}</dd></div>`)}
    ${now - system.at > STALE_MS && html`<div class="bad"><dt>Seen</dt><dd>
      ${Math.round((now - system.at) / 1_000)} s ago</dd></div>`}</dl>`;
}

const stateOf = (system, name) => system.parts.find((part) => part.name === name)?.state ?? 'up';
const relayOf = (system, service) => system.relays?.find((relay) => relay.name.endsWith(DATABASE[service]));

function Picture({ system, follow }) {
  const dots = useRef();
  useEffect(() => onOrder((order) => {
    if (!document.hidden && isFollowed(order, follow)) {
      fly(dots.current, order, system.topics.find((topic) => topic.name === TOPIC)?.partitions.length ?? 1);
    }
  }), [follow, system.topics.length]);
  const topic = system.topics.find((one) => one.name === TOPIC) ?? { partitions: [] };
  const groups = Object.keys(GROUPS);
  const brokers = system.parts.filter((part) => part.kind === 'broker');
  const { rates = {} } = system;
  return html`
    <div class="scroll map-scroll" tabindex="0" role="region"
      aria-label="Picture of the system; the list below says the same">
    <svg class="map" viewBox="0 0 1140 590" role="img"
      aria-label="Client, services with outboxes, relays, topic, consumer groups, outside world">
      ${Object.entries({ client: 'Client', service: 'Services', relay: 'Relays', topic: `Topic ${TOPIC}`,
        group: 'Consumer groups', outside: 'Outside' }).map(([column, title]) => html`
        <text key=${column} class="column" x=${COLUMN[column]} y="34">${title}</text>`)}
      <${Box} x=${COLUMN.client} y=${ROW(0, 4) - 26} width=${WIDTH.client} title="Client"
        note=${`${number(Math.round(rates.placed ?? 0))}/s`} />
      <${Edge} from=${[COLUMN.client + WIDTH.client, ROW(0, 4)]} to=${[COLUMN.service, ROW(0, 4)]} />
      ${SERVICES.map((service, index) => {
        const y = ROW(index, 4);
        const relay = relayOf(system, service);
        return html`<g key=${service}>
          <${Box} x=${COLUMN.service} y=${y - 32} width=${WIDTH.service} height="64" title=${service}
            state=${stateOf(system, service)}
            note=${service === 'order-service' ? 'outbox, inbox, read model' : 'outbox, inbox'} />
          <${Edge} from=${[COLUMN.service + WIDTH.service, y]} to=${[COLUMN.relay, y]} />
          <${Box} x=${COLUMN.relay} y=${y - 26} width=${WIDTH.relay} title=${DATABASE[service]}
            state=${relay ? (relay.state === 'running' ? 'up' : 'down') : stateOf(system, 'connect')}
            note=${relay ? bytes(relay.slotLagBytes) : ''} />
          <${Edge} from=${[COLUMN.relay + WIDTH.relay, y]} to=${[COLUMN.topic, 285]} />
        </g>`;
      })}
      <${Topic} topic=${topic} brokers=${brokers} />
      ${groups.map((name, index) => {
        const y = ROW(index, groups.length);
        const group = system.groups.find((one) => one.name === name);
        return html`<g key=${name}>
          <${Edge} from=${[COLUMN.topic + 175, 285]} to=${[COLUMN.group, y]} lag=${group?.lag} />
          <${Box} x=${COLUMN.group} y=${y - 30} width=${WIDTH.group} height="60"
            title=${name.replace('-consumer-group', '')}
            state=${!group ? 'down' : group.members > 0 ? 'up' : 'down'}
            note=${`lag ${number(group?.lag)} · ${behind(group)}`} />
        </g>`;
      })}
      <${Outside} system=${system} y=${{ payment: ROW(3, 5), mail: ROW(4, 5) }} />
      <path class="effects" d="M 857 516 V 545 H 235 V 505" marker-end="url(#tip)" />
      <text class="edge-note" x="546" y="565"
        text-anchor="middle">each handler works in its service's
        database: inbox, work and outbox in one transaction</text>
      <defs><marker id="tip" viewBox="0 0 8 8" refX="6" refY="4" markerWidth="7" markerHeight="7" orient="auto">
        <path class="arrow-head" d="M0 0 8 4 0 8z" /></marker></defs>
      <g ref=${dots} aria-hidden="true"></g>
    </svg></div>`;
}

const bytes = (n) => (n == null ? '' : n < 1_024 ? `${n} B behind` : n < 1_048_576
  ? `${Math.round(n / 1_024)} KB behind`
  : `${Math.round(n / 1_048_576)} MB behind`);

function Box({ x, y, width, height = 52, title, note, state = 'up' }) {
  return html`<g class=${`box ${state}`}>
    <rect x=${x} y=${y} width=${width} height=${height} rx="10" />
    <text class="box-title" x=${x + 12} y=${y + height / 2 - 4}>${title}</text>
    <text class="box-note" x=${x + 12} y=${y + height / 2 + 14}>${state === 'up' ? note : state}</text>
    <circle cx=${Number(x) + Number(width) - 13} cy=${y + 14} r="5" /></g>`;
}

function Edge({ from: [x1, y1], to: [x2, y2], lag }) {
  const middle = (x1 + x2) / 2;
  return html`<path class=${`edge ${lag > 100 ? 'behind' : ''}`}
    d=${`M${x1} ${y1}C${middle} ${y1} ${middle} ${y2} ${x2} ${y2}`} />`;
}

function Topic({ topic, brokers }) {
  const count = Math.max(1, topic.partitions.length);
  const height = Math.min(44, 330 / count - 6);
  const top = 285 - (count * (height + 6)) / 2;
  const most = Math.max(1, ...topic.partitions.map((partition) => partition.end));
  return html`<g class="topic">
    <rect class="topic-frame" x=${COLUMN.topic - 4} y=${top - 14} width="183" height=${count * (height + 6) + 22}
      rx="12" />
    ${topic.partitions.map((partition, index) => html`<g key=${partition.id} class="partition"
      id=${`partition-${partition.id}`}>
      <rect x=${COLUMN.topic + 6} y=${top + index * (height + 6)} width="163" height=${height} rx="6" />
      <rect class="fill" x=${COLUMN.topic + 6} y=${top + index * (height + 6)} width=${Math.max(6,
        (163 * partition.end) / most)} height=${height} rx="6" />
      <text x=${COLUMN.topic + 14}
        y=${top + index * (height + 6) + height / 2 + 4}>${caption(partition)}</text></g>`)}
    ${brokers.map((broker, index) => html`<${Box} key=${broker.name} x=${COLUMN.topic - 30 + index * 79} y=${480}
      width="75" height="44"
      title=${broker.name.replace('kafka-', 'b')} state=${broker.state} note="up" />`)}
  </g>`;
}

const caption = (partition) => `P${partition.id} · ${number(partition.end)} · ${leader(partition)}`;
const leader = (partition) => (partition.leader == null || partition.leader < 0 ? 'no leader'
  : `leader ${partition.leader}`);

function Outside({ system, y }) {
  const simulators = stateOf(system, 'simulators');
  return html`
    <${Edge} from=${[COLUMN.group + WIDTH.group, y.payment]} to=${[COLUMN.outside, y.payment]} />
    <${Box} x=${COLUMN.outside} y=${y.payment - 30} width=${WIDTH.outside} height="60" title="Payment gateway"
      note="answers and calls back" state=${simulators} />
    <${Edge} from=${[COLUMN.group + WIDTH.group, y.mail]} to=${[COLUMN.outside, y.mail]} />
    <${Box} x=${COLUMN.outside} y=${y.mail - 30} width=${WIDTH.outside} height="60" title="Mail, SMS"
      note="one per ended order" state=${simulators} />
    <${Box} x=${COLUMN.outside} y=${ROW(0, 5) - 30} width=${WIDTH.outside} height="60" title="PostgreSQL"
      note="a database per service" state=${stateOf(system, 'postgres')} />
    <${Box} x=${COLUMN.outside} y=${ROW(1, 5) - 30} width=${WIDTH.outside} height="60" title="Kafka Connect"
      note="runs the relays" state=${stateOf(system, 'connect')} />`;
}

/** An event on its way: from its service through the relay into its partition, and on to the groups. */
function fly(layer, order, partitions) {
  const from = SERVICES.indexOf(order.source);
  if (!layer || from < 0 || layer.childElementCount > MAX_DOTS
    || matchMedia('(prefers-reduced-motion: reduce)').matches) {
    return;
  }
  const height = Math.min(44, 330 / partitions - 6) + 6;
  const lane = 285 - (partitions * height) / 2 + (order.partition + 0.4) * height;
  const dot = document.createElementNS('http://www.w3.org/2000/svg', 'circle');
  dot.setAttribute('r', '5');
  dot.setAttribute('class', `dot ${order.type}`);
  layer.append(dot);
  const points = [[COLUMN.service + WIDTH.service, ROW(from, 4)], [COLUMN.relay + WIDTH.relay / 2, ROW(from, 4)],
    [COLUMN.topic + 10, lane],
    [COLUMN.topic + 165, lane], [COLUMN.group, ROW(order.offset % 5, 5)]];
  dot.animate(points.map(([x, y]) => ({ transform: `translate(${x}px, ${y}px)` })), { duration: DOT_MS,
    easing: 'ease-in-out' })
    .finished.finally(() => dot.remove());
}

function Parts({ system }) {
  return html`<section class="card" aria-labelledby="parts"><h2 id="parts">Parts</h2>
    <ul class="parts">${system.parts.map((part) => html`<li key=${part.name}><span>${part.name}</span>
      <span class="muted">${part.detail}</span><${Health} state=${part.state} detail=${part.detail} /></li>`)}</ul>
        </section>`;
}

/** A group that has records before it is behind, however short they have been there. */
const behind = (group) => (group?.lag > 0 && group.seconds < 1 ? '< 1 s' : `${(group?.seconds ?? 0).toFixed(1)} s`);

/** By the whole id, or by its end as the page shows it. */
const isFollowed = (order, follow) => !follow || order.orderId?.endsWith(follow.replace('…', ''));

/** The last events as words: the moving dots are no use to who does not see them. */
function Log({ follow }) {
  const [entries, setEntries] = useState([]);
  useEffect(() => {
    setEntries([]);
    return onOrder((order) => {
      if (isFollowed(order, follow)) {
        setEntries((before) => [order, ...before].slice(0, MAX_LOG));
      }
    });
  }, [follow]);
  return html`<section class="card" aria-labelledby="log"><h2 id="log">Last events</h2>
    ${entries.length === 0 && html`<${Empty} title="Quiet">Nothing has been ordered since you opened this page.<//>`}
    <ol class="log">${entries.map((order) => html`<li key=${`${order.partition}-${order.offset}`}><strong>${order.type}
      </strong>
      <span class="muted">${order.source} · partition ${order.partition}, offset ${order.offset}</span>
      ${order.orderId && html`<a href=${`#/orders/${order.orderId}`}><code>${short(order.orderId)}</code></a>`}</li>`)}
        </ol></section>`;
}
