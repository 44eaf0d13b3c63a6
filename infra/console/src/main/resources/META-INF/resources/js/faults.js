// Break it, under load, and see which promises hold.
import { html, useEffect, useRef, useState } from './preact.js';
import { Action, Empty, Failure, Health, Loading, NotForYou, clock, number, useEvery, useLoaded } from './elements.js';
import { get, post } from './http.js';
import { hasRole, useStore } from './store.js';

const CHECKS_MS = 5_000;
const FAULTS_MS = 5_000;
const SETTLE_MS = 250;
const MAX_RATE = 100;
const OF_PROCESSES = ['kill', 'pause', 'resume'];
const VERBS = { kill: 'Kill', pause: 'Freeze', resume: 'Thaw' };
const GROUPS = { record: 'Records on the topic', group: 'Consumer groups', relay: 'Relays',
  gateway: 'Payment gateway', mail: 'Mail server', sms: 'SMS provider' };

export function Faults({ session }) {
  const head = html`<div class="head"><div><h1 tabindex="-1">Faults</h1>
    <p class="lead">Put load on it, break something, and see which promises hold.</p></div></div>`;
  if (!session.demo) {
    return html`${head}<${Empty} title="Not on this platform">Only a demonstration can be broken from here.<//>`;
  }
  return html`${head}${hasRole(session, 'operator') ? html`<${Board} />`
    : html`<${NotForYou} who="operators" person="olga">They break it, and watch the promises.<//>`}`;
}

function Board() {
  const checks = useLoaded(() => get('/api/checks'));
  useEvery(CHECKS_MS, checks.reload);
  // On a narrow screen the promises are far below the buttons.
  return html`<p class="promise-line" aria-hidden="true">Promises: <${Verdict} checks=${checks.value} /></p>
    <div class="with-aside wide-aside"><div><${Load} /><${Buttons} /></div><${Promises} checks=${checks} /></div>`;
}

function Load() {
  const load = useStore((state) => state.system?.load);
  const rates = useStore((state) => state.system?.rates);
  const [wanted, setWanted] = useState(null);
  const [problem, setProblem] = useState(null);
  const settled = useRef();
  useEffect(() => setWanted(null), [load?.ratePerSecond]);
  const set = (event) => {
    const ratePerSecond = Number(event.target.value);
    setWanted(ratePerSecond);
    // A slider passes many values on its way.
    clearTimeout(settled.current);
    settled.current = setTimeout(() => post('/api/load', { ratePerSecond }).then(() => setProblem(null), setProblem),
      SETTLE_MS);
  };
  const rate = wanted ?? load?.ratePerSecond ?? 0;
  return html`<section class="card" aria-labelledby="load"><div class="section-head"><h2 id="load">Load</h2>
      <output for="rate" class="big">${rate} <span class="muted">orders/s</span></output></div>
    <${Failure} problem=${problem} />
    <label class="visually-hidden" for="rate">Orders per second</label>
    <input type="range" id="rate" min="0" max=${MAX_RATE} step="5" value=${rate} onInput=${set} />
    <p class="muted">Placed ${number(load?.placed)} · refused, or without an answer ${number(load?.failed)}
      ${rates && html` · now ${rates.placed.toFixed(1)} placed/s, ${rates.confirmed.toFixed(1)} confirmed/s`}</p>
        </section>`;
}

function Buttons() {
  const parts = useStore((state) => state.system?.parts ?? []);
  const { value, problem, loading, reload } = useLoaded(() => get('/api/faults'));
  useEvery(FAULTS_MS, reload);
  if (loading) {
    return html`<${Loading} rows=${5} />`;
  }
  const faults = value ?? [];
  const hit = [...new Set(faults.filter((fault) => OF_PROCESSES.includes(fault.group)).map((fault) => fault.part))];
  const others = [...new Set(faults.map((fault) => fault.group))].filter((group) => !OF_PROCESSES.includes(group));
  const run = (kind) => async () => {
    const { result } = await post(`/api/faults/${kind}`);
    await reload();
    return result;
  };
  const done = (title) => (result) => `${title}: ${result}`;
  return html`<${Failure} problem=${problem} again=${reload} />
    <section class="card" aria-labelledby="processes"><h2 id="processes">Processes</h2>
      <p class="muted">Killed, one is started again by the launcher. Frozen, it keeps its
        connections and answers nothing for 20 seconds.</p>
      <ul class="faults">${hit.map((part) => html`<li key=${part}>
        <div><strong>${part}</strong></div><${Health} state=${parts.find((one) =>
          one.name === part)?.state ?? 'starting'} />
        <div class="buttons">${faults.filter((fault) => fault.part === part && OF_PROCESSES.includes(fault.group))
          .filter((fault) => !fault.active).map((fault) => html`<span key=${fault.kind} data-kind=${fault.kind}>
            <${Action} class=${`small ${fault.group === 'resume' ? 'primary' : 'danger'}`} run=${run(fault.kind)}
              done=${done(fault.title)} title=${fault.what} aria-label=${fault.title}>${VERBS[fault.group]}<//>
                </span>`)}</div></li>`)}</ul></section>
    ${others.map((group) => html`<section key=${group} class="card" aria-labelledby=${`faults-${group}`}>
      <h2 id=${`faults-${group}`}>${GROUPS[group] ?? group}</h2>
      <ul class="faults">${faults.filter((fault) => fault.group === group).map((fault) => html`<li key=${fault.kind}
        data-kind=${fault.kind}>
        <div><strong>${fault.title}</strong><p class="muted">${fault.what}</p></div>
        <${Action} class="small danger" run=${run(fault.kind)} done=${done(fault.title)}
          aria-label=${`Do it: ${fault.title}`}>Do it<//></li>`)}</ul></section>`)}`;
}

const WORDS = { ok: 'holds', broken: 'broken', unknown: 'not known' };

function Verdict({ checks = [] }) {
  const count = (state) => checks.filter((check) => check.state === state).length;
  const [broken, unknown] = [count('broken'), count('unknown')];
  return checks.length > 0 && html`<span class=${`status ${broken ? 'bad' : unknown ? 'warn' : 'ok'}`}>
    ${broken ? `${broken} broken` : unknown ? `${unknown} not known yet` : 'all hold'}</span>`;
}

function Promises({ checks: { value, problem, loading, reload } }) {
  return html`<section class="card promises" tabindex="0" aria-labelledby="promises"><div class="section-head">
    <h2 id="promises">Promises</h2>
      <span role="status"><${Verdict} checks=${value} /></span></div>
    <p class="muted">Checked while it runs, against what the services have written.</p>
    <${Failure} problem=${problem} again=${reload} />
    ${loading && html`<${Loading} rows=${5} />`}
    <ul class="checks">${value?.map((check) => html`<li key=${check.id} class=${check.state}>
      <div><strong>${check.promise}</strong><p class="muted">${check.detail} · ${clock(check.lookedAt)}</p></div>
      <span class=${`status ${check.state === 'ok' ? 'ok' : check.state === 'broken' ? 'bad' : 'warn'}`}>
        ${WORDS[check.state]}</span></li>`)}</ul></section>`;
}
