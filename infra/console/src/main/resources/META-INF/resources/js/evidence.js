// What an order has left: its events with headers and value, rows of the databases, mails and SMS.
import { html } from './preact.js';
import { Copy, Empty, clock } from './elements.js';

/** No count or amount is as large; times are milliseconds. */
const EPOCH_MILLIS = 1e12;
const INTERFACE = 'http://localhost:8080';

export function Events({ timeline, order, session }) {
  const { events } = timeline;
  const bearer = `Authorization: Bearer $(./orderly token ${order.customerId})`;
  const curl = `curl "${INTERFACE}/orders/${order.id}" -H "${bearer}"`;
  const [, trace, , flags] = events[0]?.headers?.traceparent?.split('-') ?? [];
  const recorded = session.traces && Number.parseInt(flags, 16) & 1;
  return html`
    <div class="section-head"><p class="lead">Each event as it is on the topic, the oldest first.
        ${trace && html` Trace ${recorded ? html`<a href=${session.traces + trace}><code>${trace}</code></a>`
    : html`<code>${trace}</code>`}`}</p>
      <${Copy} text=${curl}>Copy as curl<//></div>
    ${events.length === 0 && html`<${Empty} title="No event is on the topic yet" />`}
    <ol class="events">${events.map((event) => html`<li key=${`${event.partition}-${event.offset}`}><details>
      <summary><strong>${event.type}</strong> <span class="muted">${place(event)}</span></summary>
      <h3>Headers</h3>
      <dl class="pairs">${Object.entries(event.headers ?? {}).map(([name, value]) => html`<dt>${name}</dt><dd><code>
        ${value}</code></dd>`)}</dl>
      <div class="section-head"><h3>Value</h3><${Copy} text=${JSON.stringify(event.value)}>Copy<//></div>
      <pre tabindex="0">${JSON.stringify(event.value, null, 2)}</pre></details></li>`)}</ol>`;
}

const place = ({ source, topic, partition, offset, timestamp }) =>
  `${source} · topic ${topic}, partition ${partition}, offset ${offset} · ${clock(timestamp, true)}`;

const TABLES = {
  outbox: ['Outbox', 'Written in the transaction of the work; the relay publishes it from there.'],
  inbox: ['Inbox', 'Which events each consumer group has seen; written in the transaction of the effect.'],
  reservation: ['Reservation', 'Stock that is set aside for the order, until it is committed or released.'],
  ledger: ['Ledger', 'Movements of money, each with the account it leaves and the one it enters.'],
};

export function Rows({ timeline }) {
  const { rows } = timeline;
  if (!rows) {
    return html`<${Empty}
      title="Rows are not shown here">Only a demonstration lets the console read the databases.<//>`;
  }
  return Object.entries(TABLES).map(([name, [title, why]]) => html`
    <section key=${name} class="rows"><h3>${title}</h3><p class="muted">${why}</p>
      ${rows[name]?.length ? html`<${Table} rows=${rows[name]} name=${title} />` : html`<p class="muted">No row.</p>`}
        </section>`);
}

function Table({ rows, name }) {
  const columns = [...new Set(rows.flatMap(Object.keys))];
  return html`<div class="scroll" tabindex="0" role="region" aria-label=${`Rows of ${name}`}><table class="dense">
    <thead><tr>${columns.map((column) => html`<th>${column}</th>`)}</tr></thead>
    <tbody>${rows.map((row) => html`<tr>${columns.map((column) => html`<td><code>${cell(row[column])}</code></td>`)}
      </tr>`)}</tbody>
  </table></div>`;
}

const cell = (value) => (value == null ? '–' : typeof value === 'object' ? JSON.stringify(value)
  : value > EPOCH_MILLIS ? clock(value, true) : String(value));

export function Messages({ timeline }) {
  const all = timeline.notifications ?? [];
  return all.length === 0 ? html`<${Empty} title="No mail yet">One is sent when the order has ended.<//>`
    : html`<${Table} rows=${all} name="notifications" />`;
}
