// A flash sale: countdown, one click, and a ticket whose turn comes in the order of arrival.
import { html, useEffect, useState } from './preact.js';
import { Action, Copy, Empty, Failure, Loading, useEvery, useLoaded, useNow, useWords } from './elements.js';
import { get, inventory, loginUrl, newKey, orders, post, request } from './http.js';
import { hasRole, read, write } from './store.js';
import { ShopHead, products as catalogue } from './shop.js';

const SALE_MINUTES = 10;
const POLL_MS = 1_000;
const ENDED = ['CONFIRMED', 'REJECTED', 'CANCELLED'];

export function Sale({ id, session }) {
  const t = useWords();
  const sale = id ?? read('sale');
  return html`
    <${ShopHead} active="sale" title=${t('sale.title')}>${t('sale.lead')}<//>
    <div class="halves">
      ${sale ? html`<${Running} key=${sale} id=${sale} session=${session} />`
        : html`<section class="card"><${Empty} title=${t('sale.none')}>${t('sale.none.text')}
          ${!hasRole(session, 'clerk') && html`<p><a class="button" href=${loginUrl('carl')}>${t('switch')} carl</a>
            </p>`}<//></section>`}
      ${hasRole(session, 'clerk') && html`<${OpenSale} />`}
    </div>`;
}

function OpenSale() {
  const t = useWords();
  const products = useLoaded(catalogue);
  const [form, setForm] = useState({ units: 3, seconds: 10 });
  const sku = form.sku ?? products.value?.[0]?.sku;
  const set = (field) => (event) => setForm({ ...form, [field]: event.target.value });
  const open = async () => {
    const id = `sale-${newKey().slice(0, 8)}`;
    const opensAt = new Date(Date.now() + form.seconds * 1_000);
    const closesAt = new Date(opensAt.getTime() + SALE_MINUTES * 60_000);
    // As many are there as are sold, at least: a sale promises no more than the shelf holds.
    await post(inventory(`/stock/${sku}/deliveries`), { quantity: Number(form.units) },
      { 'Idempotency-Key': newKey() });
    await request('PUT', orders(`/flash-sales/${id}`), { sku, units: Number(form.units), opensAt, closesAt });
    write('sale', id);
    location.hash = `#/sale/${id}`;
  };
  return html`
    <section class="card" aria-labelledby="open-sale"><h2 id="open-sale">${t('sale.open')}</h2>
      <${Failure} problem=${products.problem} again=${products.reload} />
      ${products.value?.length === 0 ? html`<${Empty} title=${t('shop.empty')}><a href="#/shop">${t('shop.title')}</a>
        <//>` : html`
        <label class="field">${t('sale.product')}<select value=${sku} onChange=${set('sku')}>
          ${products.value?.map((product) => html`<option value=${product.sku}>${product.name}</option>`)}</select>
            </label>
        <div class="halves tight">
          <label class="field">${t('sale.units')}
            <input type="number" min="1" max="10000" value=${form.units} onInput=${set('units')} /></label>
          <label class="field">${t('sale.seconds')}
            <input type="number" min="0" max="3600" value=${form.seconds} onInput=${set('seconds')} /></label></div>
        <${Action} class="primary wide" run=${open} done=${t('sale.started')}>${t('sale.open')}<//>`}
    </section>`;
}

function Running({ id, session }) {
  const t = useWords();
  const now = useNow(250);
  const { value: sale, problem, loading, reload } = useLoaded(() => get(orders(`/flash-sales/${id}`)), [id]);
  useEvery(POLL_MS, reload);
  if (loading) {
    return html`<section class="card"><${Loading} /></section>`;
  }
  if (!sale) {
    return html`<section class="card">${problem.status === 404
      ? html`<${Empty} title=${t('sale.none')}>${t('sale.none.text')}<//>` : html`<${Failure} problem=${problem} />`}
        </section>`;
  }
  const opensIn = new Date(sale.opensAt) - now;
  const closesIn = new Date(sale.closesAt) - now;
  const state = opensIn > 0 ? 'opens' : closesIn > 0 ? 'closes' : 'closed';
  return html`
    <section class="card sale" aria-labelledby="sale"><h2 id="sale">${sale.sku}</h2>
      <p class="countdown"><span class="muted">${t(`sale.${state}`)}</span>
        ${state !== 'closed' && html`<span class="big" role="timer">
          ${countdown(state === 'opens' ? opensIn : closesIn)}</span>`}</p>
      <meter min="0" max=${sale.units} value=${sale.left} aria-label=${t('sale.left', { n: sale.left,
        of: sale.units })}></meter>
      <p class="muted">${t('sale.left', { n: sale.left, of: sale.units })}</p>
      <${Ticket} id=${id} session=${session} open=${state === 'closes'} soldOut=${sale.left === 0} />
      <p><${Copy} text=${`${location.origin}/#/sale/${id}`}>${t('sale.link')}<//></p>
    </section>`;
}

function countdown(ms) {
  const seconds = Math.max(0, Math.ceil(ms / 1_000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}

/** Queued first, decided later: the answer to the click says only that the place in the queue is kept. */
function Ticket({ id, session, open, soldOut }) {
  const t = useWords();
  const [queued, setQueued] = useState(false);
  const [ticket, setTicket] = useState(null);
  const customer = session.customerId;
  const path = orders(`/flash-sales/${id}/orders`);
  const ask = async () => {
    try {
      setTicket(await get(`${path}/${customer}`));
      setQueued(false);
    } catch {
      // 404: nothing is decided yet
    }
  };
  useEffect(() => { customer && ask(); }, [customer]);
  useEvery(POLL_MS, () => queued && ask());
  const buy = async () => {
    try {
      await post(path, { customerId: customer });
      setQueued(true);
    } catch (problem) {
      if (problem.status === 410) {
        setTicket({ outcome: 'SOLD_OUT' });
        return;
      }
      throw problem;
    }
  };
  if (!hasRole(session, 'customer')) {
    return html`<p class="muted">${t('basket.customer')}</p>
      <a class="button" href=${loginUrl('ann')}>${t('switch')} ann</a>`;
  }
  return html`<div aria-live="polite">
    ${ticket?.outcome === 'ORDERED' ? html`<${Ordered} id=${ticket.orderId} />`
      : ticket?.outcome === 'SOLD_OUT' || (soldOut && !queued) ? html`<p class="notice warn">${t('sale.soldOut')}</p>`
        : ticket ? html`<p class="notice bad">${t('sale.refused')}</p>`
          : queued ? html`<p class="notice">${t('sale.queued')}</p>`
            : html`<${Action} class="primary wide" disabled=${!open} run=${buy}>${t('sale.buy')}<//>`}</div>`;
}

/** Who has one has still to pay for it. */
function Ordered({ id }) {
  const t = useWords();
  const { value: order, reload } = useLoaded(() => get(orders(`/orders/${id}`)), [id]);
  const ended = ENDED.includes(order?.status);
  useEvery(POLL_MS, () => ended || reload());
  const confirmed = order?.status === 'CONFIRMED';
  return html`<p class=${`notice ${confirmed ? 'ok' : ended ? 'bad' : ''}`}>
    ${confirmed ? t('sale.won') : ended ? t('sale.lost', { reason: order.reason }) : t('sale.ordered')}
    ${' '}<a href=${`#/orders/${id}`}>${t('sale.toOrder')}</a></p>`;
}
