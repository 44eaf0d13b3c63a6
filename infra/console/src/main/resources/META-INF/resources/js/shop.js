// The shop: catalogue, basket, payment.
import { html, useRef, useState } from './preact.js';
import { clear, linesOf, setPayment, setQuantity, totalOf, useBasket } from './basket.js';
import { Action, Empty, Failure, Loading, money, useLoaded, useWords } from './elements.js';
import { get, inventory, loginUrl, newKey, orders, payments, post, request } from './http.js';
import { announce, hasRole } from './store.js';

/** What the simulated gateway's test cards can do, as words of their tokens. */
const CARDS = ['ok', 'declined', 'slow_20s', 'late_5s', 'never', 'hang', 'error', 'unavailable', 'duplicate',
  'shuffled',
  'forged'];

/** What a clerk puts on an empty shelf: name, cents, units. */
const SHELF = {
  'mug': ['Mug', 19_99, 200], 'teapot': ['Teapot', 34_50, 80], 'book': ['Book', 24_00, 120],
  't-shirt': ['T-shirt', 29_00, 150], 'lamp': ['Desk lamp', 49_90, 60], 'golden-mug': ['Golden mug, the last one',
    99_99, 1],
};
const GIFT = { amount: 500_00, currency: 'EUR' };
/** Ann and Bob, of the simulated identity provider. */
const CUSTOMERS = ['0198c6a2-0000-7000-8000-000000000001', '0198c6a2-0000-7000-8000-000000000002'];
const MAX_PRODUCTS = 1_000;
/** What the load orders, which is not for visitors. */
const LOAD_SKU = 'console-load';

export const products = async () => (await get(orders(`/products?limit=${MAX_PRODUCTS}`)))
  .filter((product) => product.sku !== LOAD_SKU);

export function Shop({ session }) {
  const t = useWords();
  const catalogue = useLoaded(products);
  const clerk = hasRole(session, 'clerk');
  const stock = useLoaded(() => (clerk ? get(inventory(`/stock?limit=${MAX_PRODUCTS}`)) : []), [clerk]);
  const units = Object.fromEntries((stock.value ?? []).map((one) => [one.sku, one.available]));
  const refill = async () => {
    await fillShelf();
    await Promise.all([catalogue.reload(), stock.reload()]);
  };
  return html`
    <${ShopHead} active="shop" title=${t('shop.title')}>${t('shop.lead')}<//>
    <div class="with-aside">
      <section aria-labelledby="catalogue"><div class="section-head"><h2 id="catalogue">${t('shop.catalogue')}</h2>
        ${clerk && html`<${Action} class="small" run=${refill} done=${t('shop.filled')}>${t('shop.fill')}<//>`}</div>
        <${Failure} problem=${catalogue.problem} again=${catalogue.reload} />
        ${catalogue.loading && html`<${Loading} rows=${4} />`}
        ${catalogue.value?.length === 0 && html`<${Empty} title=${t('shop.empty')}>${t('shop.empty.text')}
          ${!clerk && html`<p><a class="button" href=${loginUrl('carl')}>${t('login')}: carl</a></p>`}<//>`}
        <ul class="products">${catalogue.value?.map((product) => html`
          <${Product} key=${product.sku} product=${product} left=${units[product.sku]} />`)}</ul>
      </section>
      <${Basket} session=${session} />
    </div>`;
}

/** The head of the shop's pages, which are one place for a visitor. */
export function ShopHead({ active, title, children }) {
  const t = useWords();
  const pages = { shop: 'shop.catalogue', sale: 'shop.sale', join: 'shop.join' };
  return html`
    <div class="head"><div><h1 tabindex="-1">${title}</h1><p class="lead">${children}</p></div></div>
    <nav class="tabs" aria-label=${t('shop.title')}>${Object.entries(pages).map(([page, word]) => html`
      <a href=${`#/${page}`} aria-current=${page === active ? 'page' : undefined}>${t(word)}</a>`)}</nav>`;
}

function Product({ product, left }) {
  const t = useWords();
  const basket = useBasket();
  const add = () => {
    setQuantity(basket, product, (basket.lines[product.sku]?.quantity ?? 0) + 1);
    announce(t('shop.added', { name: product.name }));
  };
  return html`
    <li class="product">
      <${Picture} sku=${product.sku} />
      <div class="product-text"><h3>${product.name}</h3>
        <p class="price">${money(product.price)}
          ${left !== undefined && html`<span class="muted"> · ${t('shop.left', { n: left })}</span>`}</p></div>
      <button class="primary" onClick=${add} aria-label=${`${t('shop.add')}: ${product.name}`}>${t('shop.add')}</button>
    </li>`;
}

const SHAPES = [
  [/mug|cup/, 'M16 18h24v22a6 6 0 0 1-6 6H22a6 6 0 0 1-6-6zM40 23h4a6 6 0 0 1 0 12h-4M23 13v-3M29 13V8M35 13v-3'],
  [/pot/, 'M20 24h24v14a8 8 0 0 1-8 8h-8a8 8 0 0 1-8-8z'
    + 'M20 28l-8-4 4 14 4 2M44 28c6-2 8 8 0 10M26 24a6 6 0 0 1 12 0M32 18v-4'],
  [/book/, 'M14 14h14a4 4 0 0 1 4 4v30a4 4 0 0 0-4-4H14zM50 14H36a4 4 0 0 0-4 4v30a4 4 0 0 1 4-4h14z'],
  [/shirt/, 'M24 14l-12 7 5 9 5-3v21h20V27l5 3 5-9-12-7c-2 5-14 5-16 0z'],
  [/lamp/, 'M22 12l20 8-14 8zM30 27L20 42M14 48h26M20 42h-4v6'],
  [/./, 'M14 22l18-9 18 9v20l-18 9-18-9zM14 22l18 9 18-9M32 31v20M23 17l18 9'],
];

/** A drawing by the product's name: a shop without photographs is no list either. */
function Picture({ sku }) {
  const path = SHAPES.find(([name]) => name.test(sku))[1];
  const hue = [...sku].reduce((code, letter) => (code * 31 + letter.charCodeAt(0)) % 6, 7);
  return html`<div class=${`picture hue-${/gold/.test(sku) ? 'gold' : hue}`} aria-hidden="true">
    <svg viewBox="0 0 64 64"><path d=${path} /></svg></div>`;
}

function Basket({ session }) {
  const t = useWords();
  const basket = useBasket();
  const lines = linesOf(basket);
  const customer = hasRole(session, 'customer');
  return html`
    <section class="card basket" aria-labelledby="basket"><h2 id="basket">${t('basket.title')}</h2>
      ${lines.length === 0 && html`<${Empty} title=${t('basket.empty')}>${t('basket.empty.text')}<//>`}
      <ul class="lines">${lines.map((line) => html`<li key=${line.sku}>
        <span>${line.name}</span>
        <span class="quantity">
          <button class="small icon" aria-label=${t('basket.less', line)}
            onClick=${() => setQuantity(basket, line, line.quantity - 1)}>−</button>
          <span>${line.quantity}</span>
          <button class="small icon" aria-label=${t('basket.more', line)}
            onClick=${() => setQuantity(basket, line, line.quantity + 1)}>+</button></span>
        <span class="amount">${money({ ...line.price, amount: line.price.amount * line.quantity })}</span></li>`)}</ul>
      ${lines.length > 0 && html`<p class="total"><span>${t('basket.total')}</span><strong>${money(totalOf(basket))}
        </strong></p>`}
      ${customer && html`<${Payment} session=${session} />`}
      ${customer ? html`<${PlaceButton} session=${session} disabled=${lines.length === 0} />`
        : session.roles.length ? html`<p class="muted">${t('basket.customer')}</p>
          <a class="button" href=${loginUrl('ann')}>${t('switch')} ann</a>`
          : html`<a class="button primary wide" href=${loginUrl('ann')}>${t('basket.login')}</a>`}
    </section>`;
}

function Payment({ session }) {
  const t = useWords();
  const basket = useBasket();
  const account = useLoaded(() => balance(session.customerId), [session.customerId]);
  const choose = (payment) => () => setPayment(basket, payment);
  return html`
    <fieldset><legend>${t('pay.title')}</legend>
      <label class="choice"><input type="radio" name="method" checked=${basket.method === 'BALANCE'}
        onChange=${choose({ method: 'BALANCE' })} />
        <span>${t('pay.balance')} <span class="muted">${account.loading ? '' : account.value
          ? t('pay.have', { money: money(account.value) }) : t('pay.none')}</span></span></label>
      <label class="choice"><input type="radio" name="method" checked=${basket.method === 'CARD'}
        onChange=${choose({ method: 'CARD' })} /><span>${t('pay.card')}</span></label>
      ${basket.method === 'CARD' && html`<label class="field">${t('pay.behaviour')}
        <select value=${basket.card} onChange=${(event) => setPayment(basket, { card: event.target.value })}>
          ${CARDS.map((card) => html`<option value=${card}>${t(`card.${card}`)}</option>`)}</select></label>`}
    </fieldset>`;
}

async function balance(customerId) {
  try {
    return (await get(payments(`/accounts/${customerId}`))).balances[0] ?? null;
  } catch (problem) {
    if (problem.status === 404) {
      return null; // the first deposit opens the account
    }
    throw problem;
  }
}

function PlaceButton({ session, disabled }) {
  const t = useWords();
  const basket = useBasket();
  const [problem, setProblem] = useState(null);
  const [placing, setPlacing] = useState(false);
  const before = useRef(null);
  const place = async () => {
    setPlacing(true);
    setProblem(null);
    try {
      const placed = await placeOrder(session, basket);
      // A second click has the same key, so the same answer: the basket is emptied once, the page opened once.
      if (before.current !== placed.id) {
        before.current = placed.id;
        clear();
        location.hash = `#/orders/${placed.id}`;
      }
    } catch (failed) {
      setProblem(failed);
    }
    setPlacing(false);
  };
  return html`
    <${Failure} problem=${problem} />
    <button class="primary wide" onClick=${place} disabled=${disabled} aria-busy=${placing}>
      ${placing ? t('basket.placing') : t('basket.place')}</button>`;
}

/** What a card is goes to payment-service alone; the order names it by the id that this answers, one per key. */
async function leaveCard(customerId, basket) {
  const card = { customerId, cardToken: `tok_${basket.card}` };
  return (await post(payments('/cards'), card, { 'Idempotency-Key': basket.key })).id;
}

async function placeOrder({ customerId }, basket) {
  return post(orders('/orders'), {
    customerId,
    lines: linesOf(basket).map(({ sku, quantity }) => ({ sku, quantity })),
    paymentMethod: basket.method,
    ...(basket.method === 'CARD' ? { cardId: await leaveCard(customerId, basket) } : {}),
  }, { 'Idempotency-Key': basket.key });
}

/** As a clerk: products with prices, stock, and money for the customers of the demonstration. */
async function fillShelf() {
  for (const [sku, [name, amount, available]] of Object.entries(SHELF)) {
    await request('PUT', orders(`/products/${sku}`), { name, price: { amount, currency: 'EUR' } });
    await request('PUT', inventory(`/stock/${sku}`), { available }, { 'Idempotency-Key': newKey() });
  }
  for (const customer of CUSTOMERS) {
    await post(payments(`/accounts/${customer}/deposits`), { amount: GIFT }, { 'Idempotency-Key': newKey() });
  }
}
