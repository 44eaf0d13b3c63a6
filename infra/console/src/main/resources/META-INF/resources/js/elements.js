// The small pieces that every page is made of.
import { html, useEffect, useRef, useState } from './preact.js';
import { get, loginUrl } from './http.js';
import { announce, hasRole, useStore } from './store.js';
import { say } from './words.js';

/** Money comes in minor units; the currency knows how many of them make one. */
export function money(value, language = document.documentElement.lang) {
  if (!value) {
    return '–';
  }
  const format = new Intl.NumberFormat(language, { style: 'currency', currency: value.currency });
  return format.format(value.amount / 10 ** format.resolvedOptions().maximumFractionDigits);
}

export const number = (value) => (value == null ? '–' : new Intl.NumberFormat('en').format(value));
/** The end of an id is random; a UUIDv7 begins with the time, which ids of one minute share. */
export const short = (id) => (id ? `…${String(id).slice(-8)}` : '–');
export const sum = (values) => values.reduce((total, value) => total + (value ?? 0), 0);

export function clock(at, millis = false) {
  const time = new Date(at);
  const text = time.toLocaleTimeString('en-GB');
  return millis ? `${text}.${String(time.getMilliseconds()).padStart(3, '0')}` : text;
}

export function duration(ms) {
  if (ms == null || Number.isNaN(ms)) {
    return '–';
  }
  return Math.abs(ms) < 1_000 ? `${Math.round(ms)} ms`
    : Math.abs(ms) < 60_000 ? `${(ms / 1_000).toFixed(1)} s`
      : `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1_000)} s`;
}

/** The word of the shop in the visitor's language; the component is drawn again when that changes. */
export function useWords() {
  const language = useStore((state) => state.language);
  return (key, values) => say(language, key, values);
}

/**
 * What `load` answers: {value, problem, loading, reload}. Loads again when one of `inputs` changes, and keeps
 * the old value until the new one is there, so that a page does not flicker.
 */
export function useLoaded(load, inputs = []) {
  const [result, setResult] = useState({ loading: true });
  const latest = useRef(0);
  const reload = async () => {
    const mine = ++latest.current;
    try {
      const value = await load();
      if (mine === latest.current) {
        setResult({ value, loading: false });
      }
    } catch (problem) {
      if (mine === latest.current) {
        setResult((before) => ({ value: before.value, problem, loading: false }));
      }
    }
  };
  useEffect(() => {
    reload();
    return () => { latest.current++; };
  }, inputs);
  return { ...result, reload };
}

/** Every so often while the page is visible; nothing is asked for behind another tab. */
export function useEvery(ms, action) {
  const current = useRef(action);
  current.current = action;
  useEffect(() => {
    const timer = setInterval(() => document.hidden || current.current(), ms);
    return () => clearInterval(timer);
  }, [ms]);
}

/** The time, drawn again each second. */
export function useNow(ms = 1_000) {
  const [now, setNow] = useState(Date.now());
  useEvery(ms, () => setNow(Date.now()));
  return now;
}

export const Loading = ({ rows = 3 }) => html`
  <div class="loading" role="status"><span class="visually-hidden">Loading</span>
    ${Array.from({ length: rows }, () => html`<div class="skeleton"></div>`)}</div>`;

export const Empty = ({ title, children }) => html`
  <div class="empty"><p class="empty-title">${title}</p>${children && html`<div class="empty-text">${children}</div>`}
    </div>`;

export function Failure({ problem, again }) {
  return problem && html`
    <div class="notice bad" role="alert">
      <p>${problem.message}</p>
      ${problem.fields?.length > 0 && html`<ul>${problem.fields.map((field) => html`<li>${field}</li>`)}</ul>`}
      ${again && html`<button class="small" onClick=${again}>Try again</button>`}
    </div>`;
}

/** Instead of a page, or a part of it, that this role may not see. */
export const NotForYou = ({ who, person, children }) => html`
  <div class="empty">
    <p class="empty-title">This is for ${who}.</p>
    <div class="empty-text"><p>${children}</p>
      <p><a class="button primary" href=${loginUrl(person)}>Log in as ${person}</a></p></div>
  </div>`;

const ENDS = { CONFIRMED: 'ok', REJECTED: 'bad', CANCELLED: 'muted', OUT_OF_STOCK: 'warn', DECLINED: 'warn' };

/** Until the stream has brought the system's state, which it brings to operators. */
export const Awaiting = ({ session }) => (hasRole(session, 'operator') ? html`<${Loading} rows=${6} />`
  : html`<${NotForYou} who="operators" person="olga">How the parts of the system are is for those who run it.<//>`);

/** Colour never speaks alone: the word is there too. */
export const Status = ({ status }) => {
  const t = useWords();
  return html`<span class=${`status ${ENDS[status] ?? 'busy'}`}>${t(`status.${status}`)}</span>`;
};

export const Health = ({ state, detail }) => html`
  <span class=${`status ${state === 'up' ? 'ok' : state === 'starting' ? 'warn' : 'bad'}`} title=${detail}>
    ${state === 'paused' ? 'frozen' : state}</span>`;

export function Copy({ text, children = 'Copy' }) {
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      announce('Copied.');
    } catch {
      announce('This browser did not let the page copy.', 'bad');
    }
  };
  return html`<button class="small quiet" onClick=${copy}>${children}</button>`;
}

/** A button whose action runs once at a time; what goes wrong is said at the edge of the page. */
export function Action({ run, done, children, ...rest }) {
  const busy = useRef(false);
  const [running, setRunning] = useState(false);
  const click = async () => {
    if (busy.current) {
      return;
    }
    busy.current = true;
    setRunning(true);
    try {
      const result = await run();
      if (done) {
        announce(typeof done === 'function' ? done(result) : done);
      }
    } catch (problem) {
      announce([problem.message, ...(problem.fields ?? [])].join(' '), 'bad');
    }
    busy.current = false;
    setRunning(false);
  };
  return html`<button type="button" aria-busy=${running} ...${rest} onClick=${click}>${children}</button>`;
}

/** A modal form with one text: the browser keeps the focus inside, Escape closes, and focus comes back. */
export function AskWhy({ title, label, confirm, danger, onConfirm, onClose, children }) {
  const dialog = useRef();
  const [text, setText] = useState('');
  const [problem, setProblem] = useState(null);
  useEffect(() => { dialog.current.showModal(); }, []);
  const submit = async (event) => {
    event.preventDefault();
    try {
      await onConfirm(text);
      dialog.current.close(); // which gives the focus back, and calls onClose
    } catch (failed) {
      setProblem(failed);
    }
  };
  return html`
    <dialog ref=${dialog} onClose=${onClose} aria-labelledby="ask-title">
      <form onSubmit=${submit}>
        <h2 id="ask-title">${title}</h2>
        ${children}
        <label>${label}
          <input value=${text} onInput=${(event) => setText(event.target.value)} required maxlength="1000" autofocus />
        </label>
        <${Failure} problem=${problem} />
        <div class="buttons end">
          <button type="button" class="quiet" onClick=${() => dialog.current.close()}>Back</button>
          <button class=${danger ? 'danger' : 'primary'} data-confirm>${confirm}</button>
        </div>
      </form>
    </dialog>`;
}

/** The mails and SMS that the simulators hold for an address, the newest first. */
export function Inbox({ addresses, every = 2_000 }) {
  const t = useWords();
  const load = async () => {
    const answers = await Promise.all(
      addresses.map((address) => get(`/api/inbox?address=${encodeURIComponent(address)}`)));
    return answers.flatMap(({ sms = [], mails = [] }) => [
      ...sms.map((message) => ({ ...message, kind: 'sms' })), ...mails]);
  };
  const { value, problem, loading, reload } = useLoaded(load, [addresses.join()]);
  useEvery(every, reload);
  if (loading) {
    return html`<${Loading} rows=${2} />`;
  }
  return html`
    <${Failure} problem=${problem} />
    ${value?.length === 0 && html`<${Empty} title=${t('inbox.empty')}>${t('inbox.soon')}<//>`}
    <ol class="messages" aria-live="polite">${value?.map((message) => html`<${Message} message=${message} />`)}</ol>`;
}

export const Message = ({ message }) => html`
  <li class="message">
    <div class="message-head"><span class="tag">${message.kind === 'sms' ? 'SMS' : 'Mail'}</span>
      <strong>${message.subject ?? message.to}</strong><span class="muted">${message.at ? clock(message.at) : ''}
        </span></div>
    <p class="message-text">${message.text}</p>
  </li>`;
