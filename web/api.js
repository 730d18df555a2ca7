// The server's interface, as the page uses it.

import { connection } from './connection.js';

const kStalled = 60_000; // milliseconds in which not a byte of an upload moved, nor its answer came

/** The server answered, and not what was hoped for. */
export class Refused extends Error {
  constructor(status, document, retryAfter) {
    super(document?.error ?? `HTTP ${status}`);
    this.status = status;
    this.hint = document?.hint ?? '';
    this.retryAfter = retryAfter; // seconds; null where the server does not say
  }

  /** It may go well another time, without anybody changing anything. */
  get passing() {
    return [408, 425, 429].includes(this.status) || this.status >= 500;
  }
}

/** No answer came: whether the request had an effect is not known. */
export class Unreachable extends Error {
  passing = true;
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null; // of something in between, such as a proxy
  }
}

// A proxy that stands in front answers for a server that is away; the server itself gives a reason with its 503.
function noteAnswer(status, document) {
  connection.note(![502, 504].includes(status) && (status !== 503 || document !== null));
}

function seconds(header) {
  return /^\d+$/.test(header ?? '') ? Number(header) : null;
}

async function once(method, path, headers) {
  let response, text;
  try {
    response = await fetch(path, { method, headers, credentials: 'same-origin', cache: 'no-store' });
    text = await response.text();
  } catch (error) {
    connection.note(false);
    throw new Unreachable(error.message);
  }
  const document = parse(text);
  noteAnswer(response.status, document);
  if (!response.ok) throw new Refused(response.status, document, seconds(response.headers.get('Retry-After')));
  return document;
}

let signIn = null, signingIn = null;

/** What to do when the server does not know who asks: comes back when it does. One at a time, however many ask. */
export function onUnknown(action) {
  signIn = action;
}

export function identify() {
  signingIn ??= signIn().finally(() => { signingIn = null; });
  return signingIn;
}

export async function request(method, path) {
  try {
    return await once(method, path);
  } catch (error) {
    if (error.status !== 401) throw error;
    await identify();
    return once(method, path);
  }
}

/** A cookie for this browser. The answer tells the owner's name. */
export function beginSession(token) {
  return once('POST', '/v2/session', token ? { Authorization: `Bearer ${token}` } : {});
}

export const endSession = () => once('DELETE', '/v2/session');
export const live = () => once('GET', '/v2/health/live');
export const models = () => request('GET', '/v2/models');
export const model = (name) => request('GET', `/v2/models/${encodeURIComponent(name)}`);
export const job = (id) => request('GET', `/v2/jobs/${id}`);
export const jobs = (before) => request('GET', `/v2/jobs?limit=200${before ? `&before=${before}` : ''}`);
/** Is the server there, and does it know who asks? */
export const probe = () => request('GET', '/v2/jobs?limit=1');
export const retry = (id) => request('POST', `/v2/jobs/${id}/retry`);
/** Cancels a live job, deletes a finished one. */
export const remove = (id) => request('DELETE', `/v2/jobs/${id}`);
/** Nothing happens to a photo that is done meanwhile. */
export const cancel = (id) => request('DELETE', `/v2/jobs/${id}?only=live`);

/**
 * Sends a photo. The same id again is the same job, so this may be repeated until it is answered.
 * @returns the job, and the seconds that the upload took in all and the server's own share: from the last byte until all was on its disk.
 */
export function upload(id, file, parameters, { progress, signal }) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const started = performance.now();
    let watchdog = 0;
    const alive = () => {
      clearTimeout(watchdog);
      watchdog = setTimeout(() => request.abort(), kStalled);
    };
    const unreachable = () => {
      connection.note(false);
      reject(new Unreachable('the upload was cut off'));
    };
    request.upload.onprogress = ({ loaded, total }) => {
      alive();
      progress(total ? loaded / total : 0);
    };
    request.onerror = unreachable;
    request.onabort = () => (signal.aborted ? reject(signal.reason) : unreachable());
    request.onload = () => {
      const document = parse(request.responseText);
      noteAnswer(request.status, document);
      if (request.status !== 200 && request.status !== 202) {
        return reject(new Refused(request.status, document, seconds(request.getResponseHeader('Retry-After'))));
      }
      // The server's word, because browsers tell that the last byte has gone when the answer comes.
      const stored = Number(/\bstore;dur=([\d.]+)/.exec(request.getResponseHeader('Server-Timing'))?.[1] ?? 0) / 1000;
      const whole = (performance.now() - started) / 1000;
      resolve({ job: document, upload: Math.max(whole - stored, 0), answer: Math.min(stored, whole) });
    };
    request.onloadend = () => clearTimeout(watchdog);
    signal.addEventListener('abort', () => request.abort(), { once: true });
    request.open('PUT', `/v2/jobs/${id}?${new URLSearchParams(parameters)}`);
    request.setRequestHeader('Content-Type', 'application/octet-stream');
    alive();
    request.send(file);
  });
}
