// Requests to the console's own interface, and through it to the services'.

/** A problem document (RFC 9457) as an error; what is no document has its status alone. */
export class Problem extends Error {
  constructor(status, detail, body) {
    super(detail);
    this.status = status;
    this.body = body ?? {};
  }

  /** The fields at fault, one line each. */
  get fields() {
    return (this.body.errors ?? []).map(({ field, message }) => `${field} ${message}`);
  }
}

const SAYS = {
  0: 'The console does not answer. Is it still running?',
  401: 'You are not logged in, or no longer.',
  403: 'Your role may not do this.',
  404: 'There is no such thing, or it belongs to another customer.',
  429: 'Too many at once. Wait a moment and try again.',
  500: 'That failed on our side. It is in the log.',
  502: 'The service behind the console does not answer. It may be restarting; try again in a moment.',
  503: 'The service is busy or restarting. Try again in a moment.',
  504: 'The service behind the console does not answer in time.',
};

/** How long the page waits for an answer; the services give up before. */
const MAX_WAIT_MS = 70_000;

/**
 * The answer's JSON, or null when it has none.
 * @throws {Problem} for every status of 400 and above, and status 0 when there is no answer at all
 */
export async function request(method, path, body, headers = {}) {
  let response;
  try {
    response = await fetch(path, {
      method,
      headers: {
        ...(method === 'GET' ? {} : { 'X-Requested-By': 'console' }),
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
        ...headers,
      },
      body: body === undefined ? undefined : JSON.stringify(body),
      cache: 'no-store',
      signal: AbortSignal.timeout(MAX_WAIT_MS),
    });
  } catch {
    throw new Problem(0, SAYS[0]);
  }
  const text = await response.text();
  const json = parse(text);
  if (!response.ok) {
    throw new Problem(response.status, json?.detail ?? SAYS[response.status] ?? `Status ${response.status}.`, json);
  }
  return json;
}

function parse(text) {
  try {
    return text ? JSON.parse(text) : null;
  } catch {
    return null;
  }
}

export const get = (path) => request('GET', path);
export const post = (path, body, headers) => request('POST', path, body, headers);

/** The path of a service's resource, as the console passes it on. */
export const orders = (path) => `/api/orders${path}`;
export const inventory = (path) => `/api/inventory${path}`;
export const payments = (path) => `/api/payments${path}`;
export const notifications = (path) => `/api/notifications${path}`;

/** Where the provider logs a person in, who then comes back to this place in the page. */
export function loginUrl(person) {
  const next = encodeURIComponent(location.hash || '#/shop');
  return `/login?next=${next}${person ? `&person=${encodeURIComponent(person)}` : ''}`;
}

/** A name for a request, unique, under which it may be repeated without a second effect. */
export const newKey = () => crypto.randomUUID?.() ?? Array.from(
  crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
