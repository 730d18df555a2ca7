// From a chosen file to the server's acknowledgement. Whatever happens in between (no network, a busy or restarted server, a closed page),
// the photo stays in the store and is sent again under the same id, which makes it the same job however often it is sent.

import * as api from './api.js';
import { Backoff, connection } from './connection.js';
import { isLocal } from './photos.js';
import { kLease, kSlots } from './store.js';

const kRenew = kLease / 4;
const kLeastPause = 1000; // milliseconds between a failure and the next try, even if the server is in reach again
const kTrail = 600_000;   // milliseconds after which nothing of a withdrawn upload is on its way any more
const kCuts = 5;          // after as many an upload is given up: it is not the network
const kUnreadable = 'the file can no longer be read';

/** UUID version 7, of random bytes: crypto.randomUUID is absent over plain HTTP. `time` in milliseconds makes ids sort as photos do. */
function makeId(time) {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  for (let i = 0; i < 6; ++i) bytes[i] = Math.floor(time / 256 ** (5 - i)) % 256;
  bytes[6] = 0x70 | (bytes[6] & 0x0f);
  bytes[8] = 0x80 | (bytes[8] & 0x3f);
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

// The same after a reload, whose leases are its own; another in every other tab.
const tab = (sessionStorage.tab ??= makeId(Date.now()));

async function readable(file) {
  try {
    await file.slice(0, 1).arrayBuffer();
    return true;
  } catch {
    return false;
  }
}

export class Uploads {
  #store;
  #photos;
  #active = new Map(); // id → AbortController; null while it is being withdrawn
  #backoff = new Backoff();
  #failed = 0;         // when something went wrong
  #held = 0;           // nothing is sent before this time,
  #asked = 0;          // nor before this one, which the server has asked for
  #timer = 0;
  #claiming = false;
  #started = false;
  #cuts = new Map();   // id → how often it was cut off although the server was in reach

  constructor(store, photos) {
    this.#store = store;
    this.#photos = photos;
    store.addEventListener('change', () => this.sync());
    photos.addEventListener('unwanted', ({ detail: { id } }) => this.#withdraw(id).catch(() => {}));
    connection.addEventListener('change', () => connection.reachable && this.#resume());
    addEventListener('online', () => this.#resume());
  }

  /** Shows them at once, and keeps and sends one after the other. settings: { model, format, keep_metadata }. */
  async add(files, settings) {
    const now = Date.now();
    const uploads = [...files].map((file, i) => ({
      id: makeId(now + files.length - 1 - i), // the first is shown first
      order: now + i / files.length,
      added: now,
      name: file.name,
      size: file.size,
      ...settings,
    }));
    uploads.forEach((upload, i) => this.#show(upload, files[i]));
    for (const [i, upload] of uploads.entries()) {
      await this.#store.add(upload, files[i]);
      if (this.#photos.get(upload.id)) this.#pump();
      else await this.#store.remove(upload.id); // cancelled meanwhile
    }
  }

  /** Takes up what this browser has not sent yet: after a reload, or as another tab has it. */
  async sync() {
    const uploads = await this.#store.all();
    for (const upload of uploads) {
      if (upload.withdrawn && upload.settled < Date.now() - kTrail) this.#store.remove(upload.id);
      else if (upload.withdrawn) this.#giveUp(upload.id);
      else this.#show(upload);
    }
    const known = new Set(uploads.map((upload) => upload.id));
    for (const photo of this.#photos.all()) {
      // Another tab has sent it or given it up; what this tab has just been given is not in the store yet.
      const gone = isLocal(photo) && !photo.file && !known.has(photo.id);
      if (gone) this.#photos.look(photo.id);
    }
    this.#pump();
  }

  /** Sending may begin: the server knows who asks. */
  start() {
    this.#started = true;
    this.#pump();
  }

  /** The photo is to vanish, wherever its bytes are just now. */
  async cancel(id) {
    await this.#store.change(id, { withdrawn: true, failure: null });
    this.#giveUp(id);
    this.#pump();
  }

  #giveUp(id) {
    this.#photos.withdraw(id);
    this.#active.get(id)?.abort(new DOMException('cancelled', 'AbortError'));
  }

  async retry(id) {
    await this.#store.change(id, { failure: null, until: 0 });
    this.#photos.set(id, { state: 'sending', sent: 0, error: null });
    this.#resume();
  }

  #show(upload, file) {
    const known = this.#photos.get(upload.id);
    const same = known && (known.state === 'unsent') === Boolean(upload.failure);
    if (same || (known && !isLocal(known))) return; // of the latter the server knows more
    this.#photos.set(upload.id, {
      label: upload.name,
      model: upload.model,
      state: upload.failure ? 'unsent' : 'sending',
      error: upload.failure ?? null,
      sent: known?.sent ?? 0,
      file: file ?? known?.file ?? null,
    });
  }

  #resume() {
    this.#held = Math.max(this.#asked, Math.min(this.#held, this.#failed + kLeastPause));
    this.#pump();
  }

  #hold(retryAfter) {
    this.#failed = Date.now();
    if (Number.isFinite(retryAfter)) this.#asked = this.#failed + retryAfter * 1000;
    this.#held = Math.max(this.#asked, this.#failed + this.#backoff.next());
  }

  async #pump() {
    if (!this.#started || this.#claiming || this.#active.size >= kSlots) return;
    this.#claiming = true;
    try {
      while (this.#active.size < kSlots && Date.now() >= this.#held) {
        const upload = await this.#store.claim(tab, this.#active);
        if (!upload) break;
        this.#send(upload);
      }
    } finally {
      this.#claiming = false;
    }
    clearTimeout(this.#timer);
    const pending = (await this.#store.all()).some((upload) => !upload.failure && !upload.settled);
    // What another tab holds is looked at again when its lease is over.
    if (pending) this.#timer = setTimeout(() => this.#pump(), this.#held > Date.now() ? this.#held - Date.now() : kLease);
  }

  async #send(upload) {
    const { id } = upload;
    const abort = upload.withdrawn ? null : new AbortController();
    this.#active.set(id, abort);
    const renewal = setInterval(() => this.#store.renew(id), kRenew);
    try {
      await (abort ? this.#put(upload, abort.signal) : this.#withdraw(id));
      this.#backoff.reset();
      this.#cuts.delete(id);
    } catch (error) {
      if (!abort?.signal.aborted) await this.#wentWrong(upload, error);
    } finally {
      clearInterval(renewal);
      await this.#store.release(id);
      this.#active.delete(id);
      this.#pump();
    }
  }

  async #put(upload, signal) {
    const { id } = upload;
    this.#show(upload); // it may be another tab's
    const file = await this.#store.file(id);
    if (!file) throw new api.Refused(400, { error: kUnreadable });
    const turn = Math.max(0, (Date.now() - upload.added) / 1000);
    const moment = this.#photos.now();
    const tell = (patch) => this.#photos.get(id) && this.#photos.set(id, patch);
    tell({ sent: 0, active: true, held: null });
    const parameters = { model: upload.model, label: upload.name };
    if (upload.format !== 'auto') parameters.format = upload.format;
    if (upload.keep_metadata) parameters.keep_metadata = 'true';
    const { job, upload: sending, answer } = await api.upload(id, file, parameters, { signal, progress: (sent) => tell({ sent }) });
    const waited = { turn, upload: sending, answer };
    tell({ waited, file: null, active: false });
    this.#photos.take(job, moment);
    await this.#store.addNote(id, { waited });
    await this.#store.remove(id);
  }

  // What was begun to be sent may have become a job: cancel it, then delete it. Where there is none there may be one yet, as the bytes on
  // their way arrive although nobody waits for the answer; so the wish is kept for a while.
  async #withdraw(id) {
    try {
      while (!('deleted' in (await api.remove(id)))) await connection.pause(200);
      await this.#store.remove(id);
    } catch (error) {
      if (error.status !== 404 && error.status !== 410) throw error;
      await this.#store.change(id, { settled: Date.now() });
    }
  }

  async #wentWrong(upload, error) {
    const { id } = upload;
    if (error.status === 410) { // it was taken, and deleted since
      await this.#store.remove(id);
      return this.#photos.drop(id);
    }
    const failure = await this.#reasonToStop(upload, error);
    const state = failure ? { state: 'unsent', error: failure } : { sent: 0, held: error.status ? 'busy' : null };
    if (failure) await this.#store.change(id, { failure });
    if (this.#photos.get(id)) this.#photos.set(id, { active: false, ...state });
    if (failure) return undefined;
    if (error.status === 401) return api.identify();
    const pending = this.#held > Date.now(); // what failed together counts once
    if (!pending) this.#hold(error.retryAfter);
    return undefined;
  }

  // Nothing: it may go well the next time.
  async #reasonToStop({ id }, error) {
    if (error instanceof api.Refused) return error.passing || error.status === 401 ? null : { message: error.message, hint: error.hint };
    const file = await this.#store.file(id);
    if (file && !(await readable(file))) return { message: kUnreadable, hint: '' };
    const reachable = await api.live().then(() => true, () => false);
    if (reachable) this.#cuts.set(id, (this.#cuts.get(id) ?? 0) + 1);
    return this.#cuts.get(id) >= kCuts ? { message: 'the upload is cut off each time', hint: '' } : null;
  }
}
