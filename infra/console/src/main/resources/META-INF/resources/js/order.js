// Orders, and one order's life: its live way for who placed it, and what happened inside for who wants to know.
import { html, useEffect, useState } from './preact.js';
import { Action, Copy, Empty, Failure, Loading, NotForYou, Status, clock, money, short, useLoaded,
  useWords } from './elements.js';
import { get, orders, post } from './http.js';
import { hasRole, write } from './store.js';
import { fill } from './basket.js';
import { Events, Messages, Rows } from './evidence.js';
import { Sequence } from './sequence.js';
import { products } from './shop.js';
import { Waterfall } from './waterfall.js';

const EVENTS = ['OrderPlaced', 'StockReserved', 'StockRejected', 'PaymentCaptured', 'PaymentDeclined', 'OrderConfirmed',
  'OrderRejected', 'OrderCancelled', 'PaymentRefunded'];
const ENDED = ['CONFIRMED', 'REJECTED', 'CANCELLED'];
const STATUSES = ['PENDING', 'RESERVED', 'OUT_OF_STOCK', 'PAID', 'DECLINED', ...ENDED];
/** What of the evidence follows an order's end: mails, refunds, rows of other databases. */
const COALESCE_MS = 40;
const RETRY_MS = 3_000;
const SETTLES_MS = [300, 1_500, 4_000];

export function Orders({ session }) {
  const t = useWords();
  const all = hasRole(session, 'clerk', 'operator');
  const [status, setStatus] = useState('');
  const [pages, setPages] = useState([]);
  const first = useLoaded(() => get(orders(`/orders?limit=20&status=${status}`)), [status]);
  useEffect(() => setPages([]), [status]);
  const next = pages.length ? pages.at(-1).next : first.value?.next;
  const older = async () => {
    const page = await get(next.startsWith('/api/') ? next : orders(next));
    setPages((before) => [...before, page]);
  };
  if (!session.roles.length) {
    return html`<div class="head"><h1 tabindex="-1">${t('orders.title')}</h1></div>
      <${NotForYou} who="customers, clerks and operators"
        person="ann">An order is seen by who placed it, and by the staff.<//>`;
  }
  const list = [first.value, ...pages].flatMap((page) => page?.orders ?? []);
  return html`
    <div class="head"><h1 tabindex="-1">${all ? t('orders.title') : t('orders.mine')}</h1>
      <div class="buttons"><label class="inline">${t('orders.status')}
        <select value=${status} onChange=${(event) => setStatus(event.target.value)}>
          <option value="">${t('orders.all')}</option>
          ${STATUSES.map((one) => html`<option value=${one}>${t(`status.${one}`)}</option>`)}</select></label>
        <button class="small" onClick=${first.reload}>↻<span class="visually-hidden"> reload</span></button></div></div>
    <${Failure} problem=${first.problem} again=${first.reload} />
    ${first.loading && html`<${Loading} rows=${5} />`}
    ${!first.loading && list.length === 0 && !first.problem && html`<${Empty} title=${t('orders.empty')}>
      ${t('orders.empty.text')}<//>`}
    ${list.length > 0 && html`<div class="scroll" tabindex="0" role="region" aria-label=${t('orders.title')}><table>
      <thead><tr><th>${t('orders.order')}</th><th>${t('orders.status')}</th><th class="amount">${t('orders.total')}</th>
        <th>${t('orders.when')}</th></tr></thead>
      <tbody>${list.map((order) => html`<tr key=${order.id}>
        <td><a href=${`#/orders/${order.id}`}><code>${short(order.id)}
          </code> ${order.lines.map((line) => `${line.quantity} × ${line.sku}`).join(', ')}</a></td>
        <td><${Status} status=${order.status} /></td><td class="amount">${money(order.total)}</td>
        <td class="muted">${clock(order.placedAt)}</td></tr>`)}</tbody></table></div>`}
    ${next && html`<p><${Action} run=${older}>${t('orders.more')}<//></p>`}`;
}

/** The order by the service's own stream of events, so that an open page is up to date without polling. */
function useOrder(id) {
  const [order, setOrder] = useState(null);
  const [problem, setProblem] = useState(null);
  useEffect(() => {
    let stream;
    let retry;
    let open = true;
    const load = async (query) => {
      try {
        const now = await get(orders(`/orders/${id}${query}`));
        if (open) {
          setOrder(now);
          setProblem(null);
        }
      } catch (failed) {
        if (open) {
          setProblem(failed);
        }
      }
    };
    // What has happened comes at once, so several events ask for the order once.
    const follow = () => {
      let soon;
      stream = new EventSource(orders(`/orders/${id}/events`));
      EVENTS.forEach((type) => stream.addEventListener(type, () => {
        clearTimeout(soon);
        soon = setTimeout(load, COALESCE_MS, '');
      }));
      stream.addEventListener('error', () => {
        // The browser tries again by itself, but not after a refusal: the service may be restarting.
        if (stream.readyState === EventSource.CLOSED && open) {
          retry = setTimeout(() => load('').then(follow), RETRY_MS);
        }
      });
    };
    // Read your writes: the version of the answer to the placing is 1, whatever the read model has seen by then.
    load('?version=1').then(() => open && follow());
    return () => {
      open = false;
      clearTimeout(retry);
      stream?.close();
    };
  }, [id]);
  return { order, problem };
}

export function Order({ id, session }) {
  const t = useWords();
  const { order, problem } = useOrder(id);
  useEffect(() => write('order', id), [id]);
  if (!session.roles.length) {
    return html`<div class="head"><h1 tabindex="-1">${t('order.title')} ${short(id)}</h1></div>
      <${NotForYou} who="the customer who placed it, and the staff" person="ann">Log in to see this order.<//>`;
  }
  const ended = ENDED.includes(order?.status);
  const may = order && (session.customerId === order.customerId || hasRole(session, 'clerk'));
  const cancel = () => post(orders(`/orders/${id}/cancel`));
  const again = async () => {
    fill(await products(), order.lines);
    location.hash = '#/shop';
  };
  return html`
    <div class="head"><div><h1 tabindex="-1">${t('order.title')} <code>${short(id)}</code></h1>
      ${order && html`<p class="lead">${t('order.placed', { at: clock(order.placedAt) })}</p>`}</div>
      <div class="buttons">
        ${may && !ended && html`<${Action} class="danger" run=${cancel} done=${t('order.cancelled')}>
          ${t('order.cancel')}<//>`}
        ${order && html`<${Copy} text=${location.href}>${t('order.share')}<//>`}
        ${ended && session.customerId === order.customerId && html`<${Action} run=${again}>${t('order.again')}<//>`}
          </div></div>
    ${problem?.status === 404 ? html`<${Empty} title=${t('order.unknown')}>
      <a href="#/orders">${t('orders.title')}</a><//>` : html`<${Failure} problem=${problem} />`}
    ${!order && !problem && html`<${Loading} />`}
    ${order && html`<div class="halves order">
      <section class="card" aria-labelledby="way"><div class="section-head"><h2 id="way">${t('order.live')}</h2>
        <span role="status" aria-live="polite" class="order-status"><${Status} status=${order.status} /></span></div>
        ${order.reason && html`<p class="muted">${t('order.reason')}: ${order.reason}</p>`}
        ${may && order.status === 'CONFIRMED' && html`<p class="muted">${t('order.ended')}</p>`}
        <${Way} timeline=${order.timeline ?? []} /></section>
      <section class="card" aria-labelledby="lines"><h2 id="lines">${t('order.lines')}</h2><${Lines} order=${order} />
        </section>
    </div>
    <${Inside} order=${order} session=${session} />`}`;
}

function Way({ timeline }) {
  const t = useWords();
  if (timeline.length === 0) {
    return html`<p class="muted">${t('order.waiting')}</p>`;
  }
  return html`<ol class="way">${timeline.map((entry) => html`<li key=${entry.position} class=${entry.status}>
    <strong>${t(`event.${entry.type}`)}</strong>
    <span class="muted">${clock(entry.occurredAt, true)} · ${entry.source}</span></li>`)}</ol>`;
}

function Lines({ order }) {
  const t = useWords();
  return html`
    <ul class="lines">${order.lines.map((line) => html`<li key=${line.sku}><span>${line.quantity} × ${line.sku}</span>
      <span class="amount">${money({ ...line.unitPrice, amount: line.unitPrice.amount * line.quantity })}</span>
        </li>`)}</ul>
    <p class="total"><span>${t('basket.total')}</span><strong>${money(order.total)}</strong></p>
    <p class="muted">${t('pay.title')}: ${t(order.paymentMethod === 'CARD' ? 'pay.card' : 'pay.balance')}</p>`;
}

const VIEWS = { sequence: 'Sequence', waterfall: 'Stages', events: 'Events', rows: 'Rows', messages: 'Mails' };

/** What happened inside: loaded again whenever the order has moved, and a little later for what follows. */
function Inside({ order, session }) {
  const [view, setView] = useState('sequence');
  const steps = order.timeline?.length ?? 0;
  const { value, problem, loading, reload } = useLoaded(() => get(`/api/order-timelines/${order.id}`), [order.id,
    steps]);
  useEffect(() => {
    const timers = SETTLES_MS.map((ms) => setTimeout(reload, ms));
    return () => timers.forEach(clearTimeout);
  }, [order.id, steps]);
  const Chosen = { sequence: Sequence, waterfall: Waterfall, events: Events, rows: Rows, messages: Messages }[view];
  return html`
    <section class="inside" aria-labelledby="inside"><h2 id="inside">How it went inside</h2>
      <div class="tabs" role="tablist" aria-label="How it went inside">
        ${Object.entries(VIEWS).map(([name, title]) => html`
        <button role="tab" id=${`tab-${name}`} aria-selected=${name === view} aria-controls="panel"
          tabindex=${name === view ? 0 : -1}
          onClick=${() => setView(name)} onKeyDown=${(event) => arrow(event, view, setView)}>${title}</button>`)}</div>
      <div id="panel" role="tabpanel" aria-labelledby=${`tab-${view}`} tabindex="0" class="card">
        <${Failure} problem=${problem} again=${reload} />
        ${loading && html`<${Loading} />`}
        ${value && html`<${Chosen} timeline=${value} order=${order} session=${session} />`}</div>
    </section>`;
}

/** Arrow keys move between tabs, as screen readers announce it. */
function arrow(event, view, setView) {
  const names = Object.keys(VIEWS);
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (step) {
    const next = names[(names.indexOf(view) + step + names.length) % names.length];
    setView(next);
    document.getElementById(`tab-${next}`).focus();
  }
}
