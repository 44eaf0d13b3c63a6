// How far each consumer group is behind, per partition, in records and in seconds, and how that went.
import { html, useEffect, useRef, useState } from './preact.js';
import uPlot from '/webjars/uplot/dist/uPlot.esm.js';
import { Action, Awaiting, Empty, Failure, Loading, clock, number, useEvery, useLoaded } from './elements.js';
import { get, post, request } from './http.js';
import { hasRole, useStore } from './store.js';

const HISTORY_MS = 5_000;
const COLOURS = ['--c1', '--c2', '--c3', '--c4', '--c5', '--c6', '--c7', '--c8'];
const SERVICES = ['order-service', 'inventory-service', 'payment-service', 'notification-service'];
const WITH_SECONDS = 'HH:MM:SS'.length;
const WITHOUT_SECONDS = 'HH:MM'.length;
const DEAD = ['Empty', 'Dead'];
const MAX_PARTITIONS = 24;

export function Lag({ session }) {
  const system = useStore((state) => state.system);
  const operator = hasRole(session, 'operator');
  return html`
    <div class="head"><div><h1 tabindex="-1">Lag</h1>
      <p class="lead">How far each consumer group is behind its topic, in records and in seconds.</p></div></div>
    ${!system || !operator ? html`<${Awaiting} session=${session} />` : html`
      <${Trend} />
      <${Groups} groups=${system.groups} demo=${session.demo} />
      <${Scale} system=${system} demo=${session.demo} />`}`;
}

function Groups({ groups, demo }) {
  const sorted = [...groups].sort((a, b) => (b.lag ?? 0) - (a.lag ?? 0) || a.name.localeCompare(b.name));
  const remove = (name) => () => request('DELETE', `/api/groups/${encodeURIComponent(name)}`);
  return html`<section aria-labelledby="groups"><h2 id="groups">Groups and partitions</h2>
    ${groups.length === 0 && html`<${Empty} title="No consumer group yet" />`}
    <div class="scroll" tabindex="0" role="region" aria-label="Table of groups"><table class="groups">
      <thead><tr><th>Group</th><th>State</th><th class="amount">Members</th><th class="amount">Lag</th>
        <th class="amount">Seconds</th><th>Partitions</th></tr></thead>
      <tbody>${sorted.map((group) => html`<tr key=${group.name}>
        <th scope="row">${group.name}</th>
        <td><span class=${`status ${group.state === 'Stable' ? 'ok' : DEAD.includes(group.state) ? 'bad' : 'warn'}`}>
          ${group.state}</span>
          ${demo && !group.own && DEAD.includes(group.state) && html` <${Action} class="small danger"
            run=${remove(group.name)} done="Removed.">Remove<//>`}</td>
        <td class="amount">${group.members}</td><td class="amount">${number(group.lag)}</td>
        <td class="amount">${group.seconds == null ? '–' : group.seconds.toFixed(1)}</td>
        <td><${Cells} partitions=${group.partitions ?? []} /></td></tr>`)}</tbody></table></div></section>`;
}

const describe = (topic, { partition, committed, end, member }) =>
  `${topic}, partition ${partition}: committed ${number(committed)} of ${number(end)}${member ? `, by ${member}` : ''}`;

/** Partitions are named by their topic where a group reads several. */
function Cells({ partitions }) {
  const topics = [...new Set(partitions.map((one) => one.topic))];
  return topics.map((topic) => html`<ul class="cells" key=${topic}>${topics.length > 1 && html`<li class="cells-topic">
    ${topic}</li>`}
    ${partitions.filter((one) => one.topic === topic).map((one) => html`
      <li key=${one.partition} class=${one.lag > 1_000 ? 'bad' : one.lag > 50 ? 'warn' : ''}
        title=${describe(topic, one)}>
        <span class="muted">P${one.partition}</span> ${number(one.lag)}</li>`)}</ul>`);
}

function Trend() {
  const [unit, setUnit] = useState('lag');
  const { value, problem, loading, reload } = useLoaded(() => get('/api/lag/history'));
  useEvery(HISTORY_MS, reload);
  return html`<section class="card" aria-labelledby="trend"><div class="section-head">
    <h2 id="trend">The last 15 minutes</h2>
      <div class="segmented" role="group" aria-label="Unit">${[['lag', 'records'], ['seconds', 'seconds']].map(([name,
        label]) => html`
        <button aria-pressed=${name === unit} onClick=${() => setUnit(name)}>${label}</button>`)}</div></div>
    <${Failure} problem=${problem} again=${reload} />
    ${loading && html`<${Loading} rows=${4} />`}
    ${value && (value.at.length < 2 ? html`<${Empty}
      title="Not enough seen yet">A point is added every ${value.everySeconds} seconds.<//>`
      : html`<${Chart} history=${value} unit=${unit} />`)}</section>`;
}

const times = (_, splits) => splits.map((at) => clock(at * 1_000)
  .slice(0, splits[1] - splits[0] < 60 ? WITH_SECONDS : WITHOUT_SECONDS));

/** A canvas says nothing to a screen reader: the table below has the figures. */
function Chart({ history, unit }) {
  const box = useRef();
  const plot = useRef();
  const theme = useStore((state) => state.theme);
  const names = Object.keys(history.groups).sort();
  const data = [history.at.map((at) => at / 1_000), ...names.map((name) => history.groups[name][unit])];
  useEffect(() => {
    // A canvas takes no variables: the browser resolves them on an element.
    const colour = (name) => {
      box.current.style.color = `var(${name})`;
      return getComputedStyle(box.current).color;
    };
    const axis = { stroke: colour('--muted'), grid: { stroke: colour('--line'), width: 1 }, ticks: { show: false } };
    const chart = new uPlot({
      width: box.current.clientWidth, height: 240, cursor: { points: { size: 6 } }, scales: { y: { range: (_, min,
        max) => [0, Math.max(max, 1)] } },
      axes: [{ ...axis, values: times }, { ...axis, size: 56 }],
      series: [{ label: 'Time', value: (_, at) => (at == null ? '' : clock(at * 1_000)) }, ...names.map((name,
        index) => ({ label: name.replace('-consumer-group', ''), width: 1.5,
        stroke: colour(COLOURS[index % COLOURS.length]), points: { show: false },
        dash: index < COLOURS.length ? undefined : [5, 4] }))],
    }, data, box.current);
    plot.current = chart;
    const resize = new ResizeObserver(() => chart.setSize({ width: box.current.clientWidth, height: 240 }));
    resize.observe(box.current);
    return () => {
      resize.disconnect();
      chart.destroy();
    };
  }, [names.join(), theme]);
  useEffect(() => { plot.current.setData(data); }, [history, unit]);
  return html`<div class="chart" ref=${box} role="img" aria-label="Lag of each group over the last 15 minutes"></div>`;
}

function Scale({ system, demo }) {
  const topic = system.topics.find((one) => one.name === 'order-service');
  const count = topic?.partitions.length ?? 0;
  const [partitions, setPartitions] = useState(null);
  const [service, setService] = useState('inventory-service');
  const growing = useLoaded(() => get('/api/topic/partitions'));
  const instances = useLoaded(() => get('/api/instances'));
  useEvery(2_000, () => growing.value?.state === 'running' && growing.reload());
  const grow = async () => {
    await post('/api/topic/partitions', { partitions: Number(partitions ?? count + 1) });
    await growing.reload();
  };
  const add = async () => {
    await post(`/api/instances/${service}`);
    await instances.reload();
  };
  const stop = (id) => async () => {
    await request('DELETE', `/api/instances/${id}`);
    await instances.reload();
  };
  return demo && html`<div class="halves">
    <section class="card" aria-labelledby="grow"><h2 id="grow">More partitions</h2>
      <p class="muted">An order keeps its partition, so growing waits until what is written has
        been read. Now ${count}.</p>
      <div class="row"><label class="field">Partitions of order-service
        <input type="number" min=${count + 1} max=${MAX_PARTITIONS} value=${partitions ?? count + 1}
          onInput=${(event) => setPartitions(event.target.value)} /></label>
        <${Action} class="primary" run=${grow} done="The topic grows.">Grow<//></div>
      ${growing.value && growing.value.state !== 'idle' && html`<p role="status"><span class="status busy">
        ${growing.value.state}</span></p>
        <pre tabindex="0">${growing.value.output}</pre>`}</section>
    <section class="card" aria-labelledby="instances"><h2 id="instances">More instances</h2>
      <p class="muted">Another process of a service takes over some of its partitions.</p>
      <div class="row"><label class="field">Service
        <select value=${service} onChange=${(event) => setService(event.target.value)}>
          ${SERVICES.map((one) => html`<option value=${one}>${one}</option>`)}</select></label>
        <${Action} class="primary" run=${add} done="It starts, which takes some seconds.">Add one<//></div>
      <ul class="parts">${instances.value?.map((one) => html`<li key=${one.id}><span>${one.service}</span>
        <span class="muted">port ${one.port} · ${one.state}</span>
        <${Action} class="small" run=${stop(one.id)} done="Stopped.">Stop<//></li>`)}</ul></section></div>`;
}
