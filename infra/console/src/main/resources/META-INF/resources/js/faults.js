// Break it, under load, and see which promises hold.
import { html, useRef, useState } from './preact.js';
import { Action, Empty, Failure, Loading, NotForYou, clock, number, useEvery, useLoaded } from './elements.js';
import { get, post } from './http.js';
import { hasRole, useStore } from './store.js';

const CHECKS_MS = 5_000;
const LOAD_MS = 2_000;
const SETTLE_MS = 250;
const MAX_RATE = 100;
const GROUPS = {
  kill: ['Kill', 'A process ends at once; the launcher starts another.'],
  pause: ['Freeze', 'A process keeps its connections and answers nothing.'],
  relay: ['Relays', 'What carries rows from an outbox to its topic.'],
  record: ['Records', 'What no service would write, or not twice.'],
  group: ['Groups', 'Where a consumer group reads.'],
  gateway: ['Payment gateway', 'How the bank behaves.'],
  mail: ['Mail', 'The mail server.'],
  sms: ['SMS', 'The SMS provider.'],
};

export function Faults({ session }) {
  const operator = hasRole(session, 'operator');
  return html`
    <div class="head"><div><h1 tabindex="-1">Faults</h1>
      <p class="lead">Put load on it, break something, and see which promises hold.</p></div></div>
    <div class="with-aside wide-aside">
      <div>${!session.demo ? html`<${Empty} title="Not on this platform">Only a demonstration can be broken from here.<//>`
        : operator ? html`<${Load} /><${Buttons} />`
          : html`<${NotForYou} who="operators" person="olga">Breaking things is recorded under their names.<//>`}</div>
      <${Promises} />
    </div>`;
}

function Load() {
  const rates = useStore((state) => state.system?.rates);
  const { value, problem, loading, reload } = useLoaded(() => get('/api/load'));
  const [wanted, setWanted] = useState(null);
  const settled = useRef();
  useEvery(LOAD_MS, reload);
  const set = (event) => {
    const ratePerSecond = Number(event.target.value);
    setWanted(ratePerSecond);
    // A slider passes many values on its way.
    clearTimeout(settled.current);
    settled.current = setTimeout(async () => {
      await post('/api/load', { ratePerSecond }).catch(() => {});
      await reload();
      setWanted(null);
    }, SETTLE_MS);
  };
  const rate = wanted ?? value?.ratePerSecond ?? 0;
  return html`<section class="card" aria-labelledby="load"><div class="section-head"><h2 id="load">Load</h2>
      <output for="rate" class="big">${rate} <span class="muted">orders/s</span></output></div>
    <${Failure} problem=${problem} again=${reload} />
    <label class="visually-hidden" for="rate">Orders per second</label>
    <input type="range" id="rate" min="0" max=${MAX_RATE} step="5" value=${rate} onInput=${set} disabled=${loading} />
    <p class="muted">Placed ${number(value?.placed)} · not accepted ${number(value?.failed)}
      ${rates && html` · now ${(rates.placed ?? 0).toFixed(1)} placed/s, ${(rates.confirmed ?? 0).toFixed(1)} confirmed/s`}</p></section>`;
}

function Buttons() {
  const { value, problem, loading, reload } = useLoaded(() => get('/api/faults'));
  useEvery(LOAD_MS, reload);
  if (loading) {
    return html`<${Loading} rows=${5} />`;
  }
  const undoes = new Set((value ?? []).map((fault) => fault.undo).filter(Boolean));
  const shown = (value ?? []).filter((fault) => !undoes.has(fault.kind));
  const names = [...new Set([...Object.keys(GROUPS), ...shown.map((fault) => fault.group)])];
  const run = (kind) => async () => {
    await post(`/api/faults/${kind}`);
    await reload();
  };
  return html`<${Failure} problem=${problem} again=${reload} />
    ${names.map((name) => {
      const faults = shown.filter((fault) => fault.group === name);
      const [title, what] = GROUPS[name] ?? [name, ''];
      return faults.length > 0 && html`<section key=${name} class="card" aria-labelledby=${`faults-${name}`}>
        <h2 id=${`faults-${name}`}>${title}</h2><p class="muted">${what}</p>
        <ul class="faults">${faults.map((fault) => html`<li key=${fault.kind} data-kind=${fault.kind} class=${fault.active ? 'active' : ''}>
          <div><strong>${fault.title}</strong><p class="muted">${fault.what}</p></div>
          ${fault.active && fault.undo ? html`<${Action} class="primary" run=${run(fault.undo)} done=${`${fault.title}: ended.`}
              aria-label=${`End: ${fault.title}`}>End<//>`
            : html`<${Action} class="danger" run=${run(fault.kind)} done=${`${fault.title}: done.`}
              aria-label=${`Do it: ${fault.title}`}>Do it<//>`}</li>`)}</ul></section>`;
    })}`;
}

const WORDS = { ok: 'holds', broken: 'broken', unknown: 'not known' };

function Promises() {
  const { value, problem, loading, reload } = useLoaded(() => get('/api/checks'));
  useEvery(CHECKS_MS, reload);
  const count = (state) => (value ?? []).filter((check) => check.state === state).length;
  const [broken, unknown] = [count('broken'), count('unknown')];
  return html`<section class="card promises" aria-labelledby="promises"><div class="section-head"><h2 id="promises">Promises</h2>
      ${value?.length > 0 && html`<span role="status" class=${`status ${broken ? 'bad' : unknown ? 'warn' : 'ok'}`}>
        ${broken ? `${broken} broken` : unknown ? `${unknown} not known yet` : 'all hold'}</span>`}</div>
    <p class="muted">Checked while it runs, against what the services have written.</p>
    <${Failure} problem=${problem} again=${reload} />
    ${loading && html`<${Loading} rows=${5} />`}
    <ul class="checks">${value?.map((check) => html`<li key=${check.id} class=${check.state}>
      <div><strong>${check.promise}</strong><p class="muted">${check.detail} · ${clock(check.lookedAt)}</p></div>
      <span class=${`status ${check.state === 'ok' ? 'ok' : check.state === 'broken' ? 'bad' : 'warn'}`}>${WORDS[check.state]}</span></li>`)}</ul></section>`;
}
