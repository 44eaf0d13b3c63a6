// The stages of an order as bars on one axis of time: what took how long, and what waited for what.
import { html } from './preact.js';
import { Empty, duration } from './elements.js';
import { stages } from './saga.js';

export function Waterfall({ timeline, order }) {
  const all = stages(timeline.events);
  if (all.length === 0) {
    return html`<${Empty}
      title="Nothing is on the topic yet">The order is accepted and waits in the outbox of order-service.<//>`;
  }
  const end = Math.max(1, ...all.map((stage) => stage.to));
  return html`
    <p class="lead">Accepted, and <strong>${duration(end)}
      </strong> later its last event was on the topic. Green is a handler
      with its transaction, blue is the way from an outbox to the topic.</p>
    <ol class="waterfall">${all.map((stage, index) => html`<li key=${index}>
      <span class="stage">${stage.label}</span>
      <span class="track"><svg viewBox="0 0 1000 20" preserveAspectRatio="none" aria-hidden="true">
        <rect class=${stage.kind} x=${(stage.from / end) * 1000} y="2" rx="3" height="16"
          width=${Math.max(4, ((stage.to - stage.from) / end) * 1000)} /></svg></span>
      <span class="took">${duration(stage.to - stage.from)}</span></li>`)}</ol>
    ${order.status === 'PENDING' && html`<p class="muted">It goes on.</p>`}`;
}
