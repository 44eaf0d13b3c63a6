// The frame: header, navigation, who is logged in; and which page a fragment of the address leads to.
import { html, render, useEffect, useState } from './preact.js';
import { Failure, Loading, short, useWords } from './elements.js';
import { loginUrl, post } from './http.js';
import { applyTheme, loadSession, setLanguage, setTheme, useStore } from './store.js';
import { Faults } from './faults.js';
import { Join } from './join.js';
import { Lag } from './lag.js';
import { Lessons } from './lessons.js';
import { SystemMap } from './map.js';
import { Order, Orders } from './order.js';
import { Parked } from './parked.js';
import { Sale } from './sale.js';
import { Shop } from './shop.js';

const PAGES = { shop: Shop, join: Join, sale: Sale, orders: Orders, order: Order, map: SystemMap, lag: Lag,
  parked: Parked, faults: Faults, lessons: Lessons };
const NAVIGATION = ['shop', 'orders', 'map', 'lag', 'parked', 'faults', 'lessons'];
const PARTS_OF = { join: 'shop', sale: 'shop', order: 'orders' };
/** The control room has one language. */
const ENGLISH = ['map', 'lag', 'parked', 'faults', 'lessons'];
const THEMES = ['auto', 'light', 'dark'];
const MESSAGE_MS = 4_000;
/** A customer without a name is called by their id. */
const MAX_NAME = 20;

/** `#/orders/ID` is the page of one order, `#/orders` that of all. */
function parse(hash) {
  const [name, id] = hash.replace(/^#\/?/, '').split('/').map(decodeURIComponent);
  const page = name === 'orders' && id ? 'order' : name;
  return { page: PAGES[page] ? page : 'shop', id };
}

function App() {
  const t = useWords();
  const language = useStore((state) => state.language);
  const session = useStore((state) => state.session);
  const problem = useStore((state) => state.problem);
  const [route, setRoute] = useState(parse(location.hash));
  useEffect(() => {
    const follow = () => setRoute(parse(location.hash));
    addEventListener('hashchange', follow);
    return () => removeEventListener('hashchange', follow);
  }, []);
  useEffect(() => {
    const heading = document.querySelector('main h1');
    document.title = heading ? `${heading.textContent} · Orderly` : 'Orderly';
    scrollTo(0, 0);
    document.querySelector('header nav [aria-current]')?.scrollIntoView({ inline: 'center', block: 'nearest' });
    // After the first page, a screen reader is led to the new one.
    if (App.visited) {
      heading?.focus({ preventScroll: true });
    }
    App.visited = !!session;
  }, [route.page, route.id, !session]);
  useEffect(() => { document.documentElement.lang = language; }, [language]);
  const Page = PAGES[route.page];
  return html`
    <a class="skip" href="#main" onClick=${skip}>${t('skip')}</a>
    <${Header} active=${PARTS_OF[route.page] ?? route.page} />
    <main id="main" class=${`page-${route.page}`} tabindex="-1" lang=${ENGLISH.includes(route.page) ? 'en' : language}>
      ${session ? html`<${Page} key=${`${route.page}/${route.id ?? ''}`} id=${route.id} session=${session} />`
        : problem ? html`<h1 tabindex="-1">Orderly</h1><${Failure} problem=${problem} again=${loadSession} />`
          : html`<h1 class="visually-hidden" tabindex="-1">Orderly</h1><${Loading} />`}
    </main>
    <${Toast} />`;
}

function skip(event) {
  event.preventDefault();
  document.getElementById('main').focus();
}

function Header({ active }) {
  const t = useWords();
  const parked = useStore((state) => state.system?.parked ?? 0);
  const live = useStore((state) => state.live);
  const known = useStore((state) => state.session?.roles.length > 0);
  return html`
    <header>
      <div class="bar">
        <a class="brand" href="#/shop"><img src="/icon.svg" alt="" width="28" height="28" />Orderly</a>
        <span class=${`live ${live}`} role="status">${known && html`<i aria-hidden="true"></i>${t(`live.${live}`)}`}
          </span>
        <${Preferences} />
        <${Person} />
      </div>
      <nav aria-label="Pages"><ul>
        ${NAVIGATION.map((name) => html`<li><a href=${`#/${name}`} aria-current=${name === active ? 'page' : undefined}>
          ${t(`nav.${name}`)}${name === 'parked' && parked > 0 && html` <span class="count">${parked}</span>`}</a>
            </li>`)}
      </ul></nav>
    </header>`;
}

function Preferences() {
  const t = useWords();
  const language = useStore((state) => state.language);
  const theme = useStore((state) => state.theme);
  const next = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length];
  return html`
    <button class="small quiet" lang=${language === 'zh' ? 'en' : 'zh'}
      onClick=${() => setLanguage(language === 'zh' ? 'en' : 'zh')}>${t('language')}</button>
    <button class="small quiet icon" onClick=${() => setTheme(next)}
      aria-label=${`${t('theme')}: ${t(`theme.${theme}`)}`} title=${`${t('theme')}: ${t(`theme.${theme}`)}`}>
      ${{ auto: '◐', light: '☀', dark: '☾' }[theme]}</button>`;
}

function Person() {
  const t = useWords();
  const session = useStore((state) => state.session);
  if (!session) {
    return null;
  }
  const people = (session.people ?? []).filter((person) => person !== session.name);
  const choices = people.map((person) => html`<li><a href=${loginUrl(person)}>${t('switch')} ${person}</a></li>`);
  if (!session.roles.length) {
    return html`<a class="button small primary" href=${loginUrl()}>${t('login')}</a>`;
  }
  return html`
    <details class="menu" onfocusout=${closeMenu} onKeyDown=${(event) => event.key === 'Escape' && closeMenu(event)}>
      <summary><span class="person">${session.name.length > MAX_NAME ? short(session.name) : session.name}</span>
        <span class="muted roles">${session.roles.map((role) => t(`role.${role}`)).join(', ')}</span></summary>
      <ul>${choices}<li><button class="quiet" onClick=${logout}>${t('logout')}</button></li></ul>
    </details>`;
}

/** When the focus goes elsewhere, and by Escape. */
function closeMenu(event) {
  if (!event.currentTarget.contains(event.relatedTarget)) {
    event.currentTarget.open = false;
  }
}

async function logout() {
  try {
    await post('/logout');
  } finally {
    location.reload();
  }
}

/** What has just happened, at the edge; said by screen readers without moving the focus. */
function Toast() {
  const message = useStore((state) => state.message);
  const [shown, setShown] = useState(null);
  useEffect(() => {
    setShown(message);
    const timer = setTimeout(() => setShown(null), MESSAGE_MS);
    return () => clearTimeout(timer);
  }, [message]);
  return html`<div class="toast" role="status" aria-live="polite">
    ${shown && html`<p class=${`notice ${shown.kind}`}>${shown.text}</p>`}</div>`;
}

applyTheme();
render(html`<${App} />`, document.getElementById('app'));
loadSession();
