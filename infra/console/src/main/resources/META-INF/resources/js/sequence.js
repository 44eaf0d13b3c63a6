// One order as a sequence diagram: a lane for each who takes part, time from top to bottom.
import { html } from './preact.js';
import { Empty, clock, duration } from './elements.js';
import { REACTS, story } from './saga.js';

const LANES = ['client', 'order-service', 'inventory-service', 'payment-service', 'notification-service'];
const WIDTH = 1000;
const STEP = 46;
const TOP = 64;
const x = (lane) => 100 + LANES.indexOf(lane) * 200;

/** An arrow from lane to lane; one that stays in its lane is a loop. */
function arrows(timeline) {
  const told = story(timeline.events);
  const steps = [{ from: 'client', to: 'order-service', text: 'POST /orders', note: '202 when it is committed',
    at: told[0]?.committed, kind: 'http' }];
  told.forEach((event) => {
    if (event.type === 'OrderCancelled' && !/in time/.test(event.value?.reason ?? '')) {
      steps.push({ from: 'client', to: 'order-service', text: 'cancel', at: event.committed, kind: 'http' });
    }
    const readers = REACTS[event.type] ?? [];
    const took = event.cause && duration(event.committed - event.cause.arrived);
    if (readers.length === 0) {
      steps.push({ from: event.source, to: event.source, text: event.type, event, at: event.arrived, took,
        kind: 'event' });
    }
    readers.forEach((reader, index) => steps.push({ from: event.source, to: reader, text: event.type, event,
      at: event.arrived, took: index === 0 ? took : null, kind: 'event' }));
  });
  (timeline.notifications ?? []).forEach(({ kind, state, sentAt }) => steps.push({ from: 'notification-service',
    to: 'client',
    text: `mail: ${kind.toLowerCase()}`, note: state.toLowerCase(), at: sentAt, kind: 'mail' }));
  return steps;
}

export function Sequence({ timeline }) {
  if (timeline.events.length === 0) {
    return html`<${Empty}
      title="Nothing is on the topic yet">The order is accepted and waits in the outbox of order-service.<//>`;
  }
  const steps = arrows(timeline);
  const height = TOP + steps.length * STEP + 20;
  return html`
    <div class="scroll" tabindex="0" role="region" aria-label="Sequence diagram">
      <svg class="sequence" viewBox=${`0 0 ${WIDTH} ${height}`} role="img" aria-label=${describe(steps)}>
        <defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8"
          orient="auto-start-reverse">
          <path d="M0 0 8 4 0 8z" class="arrow-head" /></marker></defs>
        ${LANES.map((lane) => html`<g key=${lane}>
          <rect class="lane-head" x=${x(lane) - 88} y="8" width="176" height="32" rx="8" />
          <text class="lane-name" x=${x(lane)} y="29">${lane}</text>
          <line class="lane" x1=${x(lane)} x2=${x(lane)} y1="40" y2=${height} /></g>`)}
        ${steps.map((step, index) => html`<${Arrow} key=${index} step=${step} y=${TOP + index * STEP + 24} />`)}
      </svg></div>`;
}

function Arrow({ step, y }) {
  const [from, to] = [x(step.from), x(step.to)];
  const own = from === to;
  const middle = own ? from + 12 : (from + to) / 2;
  const where = step.event ? `partition ${step.event.partition}, offset ${step.event.offset}` : step.note ?? '';
  const side = to < from ? 6 : -6;
  return html`<g class=${`step ${step.kind}`}>
    ${step.at && html`<title>${`${step.text}, ${clock(step.at, true)}${where ? `, ${where}` : ''}`}</title>`}
    ${own ? html`<circle cx=${from} cy=${y} r="5" class="own" />`
      : html`<line class="arrow" x1=${from} x2=${to + side} y1=${y} y2=${y} marker-end="url(#head)" />`}
    <text class="step-name" x=${middle} y=${y - 7} text-anchor=${own ? 'start' : 'middle'}>${step.text}</text>
    ${!own && html`<text class="step-note" x=${middle} y=${y + 15} text-anchor="middle">${where}</text>`}
    ${step.took && html`<text class="took" x=${to < from ? from + 8 : from - 8} y=${y + 4} text-anchor=${to < from
      ? 'start' : 'end'}>${step.took}</text>`}
  </g>`;
}

/** The diagram in words, for who does not see it. */
const describe = (steps) => steps.map((step) => `${step.from} to ${step.to}: ${step.text}`).join('; ');
