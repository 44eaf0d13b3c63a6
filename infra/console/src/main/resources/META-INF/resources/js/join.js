// From registering to the erasure of one's data.
import { html, useState } from './preact.js';
import { Action, Failure, Inbox, useWords } from './elements.js';
import { loginUrl, newKey, orders, post, request } from './http.js';
import { announce, change, hasRole, read, useStore, write } from './store.js';
import { ShopHead } from './shop.js';

change({ joined: read('joined') });

function keep(joined) {
  write('joined', joined);
  change({ joined });
}

/** A person that no visitor before was: few messages a day go to one phone or address. */
function someone() {
  const number = crypto.getRandomValues(new Uint32Array(1))[0] % 100_000_000;
  return { name: 'Kim Example', mail: `kim-${number}@shop.example`, phone: `+49151${String(number).padStart(8, '0')}`,
    key: newKey() };
}

export function Join({ session }) {
  const t = useWords();
  const joined = useStore((state) => state.joined);
  return html`
    <${ShopHead} active="join" title=${t('join.title')}>${t('join.lead')}<//>
    <div class="halves">
      <section class="card" aria-labelledby="register"><h2 id="register">${joined?.name ?? t('join.register')}</h2>
        ${joined ? html`<${Joined} joined=${joined} session=${session} />` : html`<${Registration} />`}</section>
      ${joined && html`<section class="card" aria-labelledby="got"><h2 id="got">${t('inbox.title')}</h2>
        <${Inbox} addresses=${[joined.mail, joined.phone]} /></section>`}
    </div>`;
}

function Registration() {
  const t = useWords();
  const [person, setPerson] = useState(someone);
  const [problem, setProblem] = useState(null);
  const set = (field) => (event) => setPerson({ ...person, [field]: event.target.value, key: newKey() });
  const register = async (event) => {
    event.preventDefault();
    try {
      const { name, mail, phone, key } = person;
      const { id } = await post(orders('/customers'), { name, mail, phone }, { 'Idempotency-Key': key });
      announce(t('join.registered'));
      keep({ id, name, mail, phone, status: 'REGISTERED' });
    } catch (failed) {
      setProblem(failed);
    }
  };
  return html`
    <form onSubmit=${register}>
      <label class="field">${t('join.name')}
        <input value=${person.name} onInput=${set('name')} autocomplete="name" required maxlength="200" /></label>
      <label class="field">${t('join.mail')}
        <input type="email" value=${person.mail} onInput=${set('mail')} autocomplete="email" required /></label>
      <label class="field">${t('join.phone')}
        <input type="tel" value=${person.phone} onInput=${set('phone')} autocomplete="tel" required /></label>
      <${Failure} problem=${problem} />
      <button class="primary wide">${t('join.register')}</button>
    </form>`;
}

function Joined({ joined, session }) {
  const t = useWords();
  const path = orders(`/customers/${joined.id}`);
  const may = session.customerId === joined.id || hasRole(session, 'operator');
  const erase = async () => {
    await request('DELETE', path);
    keep({ id: joined.id, status: 'ERASED' });
  };
  if (joined.status === 'ERASED') {
    return html`<p class="notice ok" role="status">${t('join.erased')}</p>
      <button class="wide" onClick=${() => keep(null)}>${t('join.another')}</button>`;
  }
  return html`
    <p class="muted">${joined.mail}<br />${joined.phone}</p>
    ${joined.status === 'VERIFIED' ? html`<p class="notice ok" role="status">${t('join.verified')}</p>`
      : html`<${Verification} path=${path} onVerified=${() => keep({ ...joined, status: 'VERIFIED' })} />`}
    <hr />
    <p>${t('join.erase.text')}</p>
    <div class="buttons">
      ${may ? html`<${Action} class="danger" run=${erase} done=${t('join.erased')}>${t('join.erase')}<//>`
        : html`<a class="button" href=${loginUrl(joined.id)}>${t('join.login')}</a>`}
      <button class="quiet" onClick=${() => keep(null)}>${t('join.another')}</button>
    </div>`;
}

function Verification({ path, onVerified }) {
  const t = useWords();
  const [code, setCode] = useState('');
  const [problem, setProblem] = useState(null);
  const verify = async (event) => {
    event.preventDefault();
    try {
      await post(`${path}/verification`, { code });
      onVerified();
    } catch (failed) {
      setProblem(failed);
    }
  };
  return html`
    <form onSubmit=${verify}>
      <label class="field">${t('join.code')}
        <input value=${code} onInput=${(event) => setCode(event.target.value.trim())} inputmode="numeric"
          autocomplete="one-time-code" pattern="[0-9]{6}" required /></label>
      <${Failure} problem=${problem} />
      <div class="buttons"><button class="primary">${t('join.verify')}</button>
        <${Action} class="quiet" run=${() => post(`${path}/verification/codes`)} done=${t('join.resent')}>
          ${t('join.resend')}<//></div>
    </form>`;
}
