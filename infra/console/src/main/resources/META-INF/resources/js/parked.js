// Events that could not take effect: what they are, what waits behind them, and what an operator does about it.
import { html, useState } from './preact.js';
import { AskWhy, Empty, Failure, Loading, NotForYou, clock, short, useLoaded } from './elements.js';
import { get, post } from './http.js';
import { announce, hasRole, useStore } from './store.js';

const SERVICES = ['orders', 'inventory', 'payments', 'notifications'];
const MAX_EVENTS = 1_000;
const MAX_ACTIONS = 20;
/** What is redriven is retried within a second. */
const RETRIED_MS = 2_000;
const VERBS = { redrive: 'Redrive', discard: 'Discard' };
const REASONS = {
  UNREADABLE: 'It is no event that this service can read.',
  NEWER_SCHEMA: 'It is newer than this instance, and waits for a newer one.',
  FAILED: 'Its handler failed, also when it was tried again.',
  GAP: 'A version before it is missing.',
  BEHIND: 'An earlier event of the same key is parked; it follows that one.',
};

export function Parked({ session }) {
  const head = html`<div class="head"><div><h1 tabindex="-1">Parked events</h1>
    <p class="lead">What could not take effect waits here, with the later events of its key.
      Nothing else waits for it.</p></div></div>`;
  return html`${head}${hasRole(session, 'operator') ? html`<${Groups} />`
    : html`<${NotForYou} who="operators" person="olga">Redriving and discarding is recorded under their names.<//>`}`;
}

/** Of all services at once; one that does not answer is said, and hides nothing of the others. */
async function load() {
  const answers = await Promise.all(SERVICES.map((service) => Promise.all([
    get(`/api/${service}/parked-events?limit=${MAX_EVENTS}`),
    get(`/api/${service}/parked-events/actions?limit=${MAX_ACTIONS}`)])
    .then(([events, actions]) => ({ events: events.map((event) => ({ ...event, service })), actions }),
      (problem) => ({ service, problem }))));
  return {
    events: answers.flatMap((answer) => answer.events ?? []),
    actions: answers.flatMap((answer) => answer.actions ?? [])
      .sort((one, other) => other.doneAt.localeCompare(one.doneAt)).slice(0, MAX_ACTIONS),
    failed: answers.filter((answer) => answer.problem),
  };
}

function Groups() {
  const parked = useStore((state) => state.system?.parked);
  const { value, problem, loading, reload } = useLoaded(load, [parked]);
  const [asked, setAsked] = useState(null);
  if (loading) {
    return html`<${Loading} rows=${4} />`;
  }
  if (!value) {
    return html`<${Failure} problem=${problem} again=${reload} />`;
  }
  const groups = grouped(value.events);
  const act = (action, events) => setAsked({ action, events });
  const perform = async (why) => {
    // One after the other: a redrive takes all of its key along, and later ones may be gone by then.
    let done = 0;
    for (const event of asked.events) {
      try {
        await post(`/api/${event.service}/parked-events/${event.consumer}/${event.eventId}/${asked.action}`, { why });
        done++;
      } catch (problem) {
        if (problem.status !== 404) {
          throw problem;
        }
      }
    }
    announce(asked.action === 'redrive' ? `${count(done)} tried again; what still cannot take effect stays parked.`
      : `${count(done)} discarded.`);
    await reload();
    if (asked.action === 'redrive') {
      setTimeout(reload, RETRIED_MS);
    }
  };
  return html`
    ${value.failed.map(({ service, problem }) => html`<${Failure}
      problem=${{ message: `${service}: ${problem.message}` }} again=${reload} />`)}
    <div class="buttons"><button class="small" onClick=${reload}>Reload</button></div>
    ${groups.size === 0 && value.failed.length === 0 && html`<${Empty}
      title="Nothing is parked">No event waits. On the page <a
        href="#/faults">Faults</a> a poison message can be sent.<//>`}
    ${[...groups].map(([name, events]) => html`<${Group} key=${name} events=${events} act=${act} />`)}
    ${value.actions.length > 0 && html`<${Actions} actions=${value.actions} />`}
    ${asked && html`<${AskWhy} title=${`${VERBS[asked.action]} ${count(asked.events.length)}`}
      label="Why" confirm=${VERBS[asked.action]} danger=${asked.action === 'discard'}
      onConfirm=${perform} onClose=${() => setAsked(null)}>
      <p class="muted">${asked.action === 'redrive'
        ? 'What is parked of the same key is tried again now, in order.'
        : 'What is parked behind it goes on without it.'} The reason is recorded under your name.</p>
          <//>`}`;
}

const DONE = { REDRIVE: 'redrove', DISCARD: 'discarded' };

function Actions({ actions }) {
  return html`<section class="card" aria-labelledby="actions"><h2 id="actions">What operators did</h2>
    <ul class="plain">${actions.map((action) => html`<li>
      <span class="muted">${clock(action.doneAt)}</span> <strong>${action.operator}</strong> ${DONE[action.action]}
      ${' '}${action.type ?? 'an event without a type'} <code>${short(action.eventId)}</code> of ${action.consumer}:
      ${' '}${action.why}</li>`)}</ul></section>`;
}

const groupName = (event) => `${event.consumer} ${event.reason} ${event.type}`;
const count = (events) => (events === 1 ? 'one event' : `${events} events`);

function grouped(events) {
  const groups = new Map();
  events.forEach((event) => groups.set(groupName(event), [...(groups.get(groupName(event)) ?? []), event]));
  return groups;
}

function Group({ events, act }) {
  const [first] = events;
  return html`<section class="card parked" aria-label=${`${first.type ?? 'no type'}, ${first.consumer}`}>
    <div class="section-head"><div><h2>${first.type ?? 'Event without a type'} <span class="count">${events.length}
      </span></h2>
      <p class="muted">${first.consumer}</p></div>
      <div class="buttons"><button class="small" onClick=${() => act('redrive', events)}>Redrive${events.length > 1
        ? ' all' : ''}</button>
        <button class="small danger" onClick=${() => act('discard', events)}>Discard${events.length > 1 ? ' all' : ''}
          </button></div></div>
    <p><span class="status warn">${first.reason}</span> ${REASONS[first.reason] ?? ''}</p>
    ${events.slice(0, 50).map((event) => html`<${Event} key=${event.eventId} event=${event} act=${act}
      single=${events.length === 1} />`)}
    ${events.length > 50 && html`<p class="muted">and ${events.length - 50} more</p>`}</section>`;
}

function Event({ event, act, single }) {
  const [open, setOpen] = useState(false);
  return html`<details onToggle=${(toggled) => setOpen(toggled.target.open)}>
    <summary><code>${short(event.eventId)}</code> <span class="muted">${place(event)}</span></summary>
    ${event.detail && html`<p class="detail">${event.detail}</p>`}
    <p class="muted">${event.nextAttemptAt ? `Tried again at ${clock(event.nextAttemptAt)}.`
      : 'Given up: an operator decides.'}</p>
    ${open && html`<${Details} event=${event} />`}
    ${!single && html`<div class="buttons"><button class="small" onClick=${() => act('redrive',
      [event])}>Redrive</button>
      <button class="small danger" onClick=${() => act('discard', [event])}>Discard</button></div>`}</details>`;
}

const place = ({ key, topic, partition, offset, attempts, parkedAt }) =>
  `key ${key ? short(key) : 'none'} · topic ${topic}, ` +
  `partition ${partition}, offset ${offset} · attempts ${attempts} · parked ${clock(parkedAt)}`;

function Details({ event }) {
  const { value, problem, loading } = useLoaded(() =>
    get(`/api/${event.service}/parked-events/${event.consumer}/${event.eventId}`));
  const behind = useLoaded(() => (event.key == null ? []
    : get(`/api/${event.service}/parked-events?consumer=${event.consumer}&key=${encodeURIComponent(event.key)}`)));
  const waiting = (behind.value ?? []).filter((other) => other.seq > event.seq);
  return loading ? html`<${Loading} rows=${2} />` : html`
    <${Failure} problem=${problem} />
    ${value && html`<h3>Headers</h3><ul class="plain">${value.headers.map((header) => html`<li><code>${header}</code>
      </li>`)}</ul>
      <h3>Value</h3>${value.payload == null ? html`<p
        class="muted">Not shown: it is personal data, or there is none.</p>`
        : html`<pre tabindex="0">${pretty(value.payload)}</pre>`}`}
    <p>${waiting.length === 0 ? 'Nothing waits behind it.' : `Behind it wait: ${waiting.map((other) =>
      other.type).join(', ')}.`}</p>`;
}

function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
