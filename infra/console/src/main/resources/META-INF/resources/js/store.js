// What all parts of the page share: who is logged in, what the one event stream says, language and theme.
import { useEffect, useState } from './preact.js';
import { get } from './http.js';

const RECONNECT_MS = 3_000;
const MAX_POINTS = 900;

const state = {
  session: null,
  problem: null,
  /** The last `system` event, and whether the stream that brings them is open. */
  system: null,
  live: 'connecting',
  /** Rates of the last minutes, for the small curve on the map. */
  placed: [],
  language: read('language') ?? (navigator.language.startsWith('zh') ? 'zh' : 'en'),
  theme: read('theme') ?? 'auto',
  message: null,
};
const listeners = new Set();
const orderListeners = new Set();

export function change(changes) {
  Object.assign(state, changes);
  listeners.forEach((listener) => listener());
}

/** The part of the state that `select` picks; the component is drawn again when that part changes. */
export function useStore(select) {
  const [value, setValue] = useState(() => select(state));
  useEffect(() => {
    const listener = () => setValue(() => select(state));
    listener();
    listeners.add(listener);
    return () => listeners.delete(listener);
  }, []);
  return value;
}

/** Calls back for each event of an order that the stream brings. Returns how to stop that. */
export function onOrder(listener) {
  orderListeners.add(listener);
  return () => orderListeners.delete(listener);
}

export const hasRole = (session, ...roles) => roles.some((role) => session?.roles?.includes(role));

/** Says it for a moment at the edge of the page, and to screen readers. */
export function announce(text, kind = 'info') {
  change({ message: { text, kind, at: Date.now() } });
}

export async function loadSession() {
  try {
    const session = await get('/api/session');
    change({ session, problem: null });
    if (session.roles.length) {
      openStream();
    }
  } catch (problem) {
    change({ problem });
    setTimeout(loadSession, RECONNECT_MS);
  }
}

/** The browser opens a stream that broke again by itself, but not one that was refused. */
function openStream() {
  const stream = new EventSource('/api/events');
  stream.addEventListener('open', () => change({ live: 'open' }));
  stream.addEventListener('system', (event) => {
    const system = JSON.parse(event.data);
    const placed = [...state.placed, [system.at, system.rates?.placed ?? 0]].slice(-MAX_POINTS);
    change({ system, placed, live: 'open' });
  });
  stream.addEventListener('order', (event) => {
    const order = JSON.parse(event.data);
    orderListeners.forEach((listener) => listener(order));
  });
  stream.addEventListener('error', () => {
    change({ live: 'lost' });
    if (stream.readyState === EventSource.CLOSED) {
      setTimeout(openStream, RECONNECT_MS);
    }
  });
}

export function setTheme(theme) {
  write('theme', theme);
  applyTheme(theme);
  change({ theme });
}

export function setLanguage(language) {
  write('language', language);
  change({ language });
}

export function applyTheme(theme = state.theme) {
  if (theme === 'auto') {
    document.documentElement.removeAttribute('data-theme');
  } else {
    document.documentElement.dataset.theme = theme;
  }
}

/** What the browser keeps for this page; a browser that keeps nothing loses comfort only. */
export function read(name) {
  try {
    return JSON.parse(localStorage.getItem(`orderly.${name}`));
  } catch {
    return null;
  }
}

export function write(name, value) {
  try {
    localStorage.setItem(`orderly.${name}`, JSON.stringify(value));
  } catch {
    // private windows may refuse
  }
}
