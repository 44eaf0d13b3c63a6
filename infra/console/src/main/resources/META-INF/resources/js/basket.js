// The basket of this browser. Its key is made once for what it holds: however often it is placed, by a double
// click or after an answer that was lost, it is one order.
import { newKey } from './http.js';
import { change, read, useStore, write } from './store.js';

const empty = () => ({ lines: {}, method: 'BALANCE', card: 'ok', key: newKey() });

change({ basket: read('basket') ?? empty() });

export const useBasket = () => useStore((state) => state.basket);

/** What is ordered differs now, so it has a key of its own. */
function keep(basket) {
  const changed = { ...basket, key: newKey() };
  write('basket', changed);
  change({ basket: changed });
}

export function setQuantity(basket, product, quantity) {
  const lines = { ...basket.lines };
  if (quantity > 0) {
    lines[product.sku] = { sku: product.sku, name: product.name, price: product.price, quantity };
  } else {
    delete lines[product.sku];
  }
  keep({ ...basket, lines });
}

/** What was ordered before, as it is sold now. */
export function fill(products, lines) {
  keep({ ...empty(), lines: Object.fromEntries(lines.flatMap(({ sku, quantity }) => products
    .filter((product) => product.sku === sku)
    .map(({ name, price }) => [sku, { sku, name, price, quantity }]))) });
}

export const setPayment = (basket, payment) => keep({ ...basket, ...payment });

export function clear() {
  keep(empty());
}

export const linesOf = (basket) => Object.values(basket.lines);

export function totalOf(basket) {
  const lines = linesOf(basket);
  return lines.length === 0 ? null : {
    currency: lines[0].price.currency,
    amount: lines.reduce((total, line) => total + line.price.amount * line.quantity, 0),
  };
}
