// Who reacts to which event, as the consumer groups of docs/reference/messages.md do; and what that took.

export const REACTS = {
  OrderPlaced: ['inventory-service'],
  StockReserved: ['payment-service'],
  StockRejected: ['order-service'],
  PaymentCaptured: ['order-service'],
  PaymentDeclined: ['order-service'],
  OrderConfirmed: ['inventory-service', 'notification-service'],
  OrderRejected: ['inventory-service', 'notification-service'],
  OrderCancelled: ['inventory-service', 'payment-service', 'notification-service'],
  PaymentRefunded: [],
};

/** The event that led to this one; none for the first. */
const CAUSES = {
  StockReserved: ['OrderPlaced'], StockRejected: ['OrderPlaced'], PaymentCaptured: ['StockReserved'],
  PaymentDeclined: ['StockReserved'], OrderConfirmed: ['PaymentCaptured'],
  OrderRejected: ['StockRejected', 'PaymentDeclined'], PaymentRefunded: ['OrderCancelled', 'PaymentCaptured'],
};

const time = (event) => Date.parse(event.value?.occurredAt) || event.timestamp;

/** Each event with when it was committed (in the transaction of its work) and when it was on the topic. */
export function story(events) {
  // The topic has copies when a relay starts again; the first counts, as for the consumers.
  const seen = new Set();
  return events
    .filter((event) => !seen.has(event.headers?.id) && seen.add(event.headers?.id ?? event))
    .map((event) => ({ ...event, committed: time(event), arrived: Math.max(event.timestamp, time(event)) }))
    .map((event, _, all) => ({
      ...event,
      cause: (CAUSES[event.type] ?? []).map((type) => all.find((other) => other.type === type)).find(Boolean),
    }));
}

/** The stages of an order from left to right: {label, kind, service, from, to} in ms since it was accepted. */
export function stages(events) {
  const told = story(events);
  if (told.length === 0) {
    return [];
  }
  const start = told[0].committed;
  return told.flatMap((event) => {
    const relay = { label: `${event.type}: outbox to topic`, kind: 'relay', service: event.source,
      from: event.committed - start, to: event.arrived - start };
    if (!event.cause) {
      return [relay];
    }
    const handler = { label: `${event.source} reacts to ${event.cause.type}`, kind: 'handler', service: event.source,
      from: Math.min(event.cause.arrived, event.committed) - start, to: event.committed - start };
    return [handler, relay];
  });
}
