// Every photo that the page knows of, and the one place where its state changes. Three sources tell of it: this browser's uploads, job
// documents (a list, a look, an acknowledgement) and the server's events. Events come in order and without a gap; a document is a look at
// some moment between two events. So a document counts only if no event of its photo has come since it was asked for; else it is asked for again.
//
// states: sending (not acknowledged yet) → queued → running → done | failed | cancelled | expired; unsent (an upload that was refused)

import * as api from './api.js';
import { persist } from './connection.js';

const kLooks = 3; // at a time

/** Photos sort by it, newest first: the time in an id that this page made (UUID version 7), else when the server took it. */
function rank(id, accepted) {
  if (/^[0-9a-f]{8}-[0-9a-f]{4}-7/.test(id)) return parseInt(id.slice(0, 8) + id.slice(9, 13), 16);
  return Date.parse(accepted) || 0;
}

function fromJob(job) {
  return {
    model: job.model,
    label: job.label || job.id,
    state: job.state,
    cancelling: job.cancelling,
    place: job.queue?.position ?? null,
    estimate: job.queue?.estimated_seconds ?? null,
    done: job.progress?.done ?? 0,
    total: job.progress?.total ?? 0,
    error: job.error ?? null,
    remarks: job.notes ?? [],
    input: job.input ?? null,
    result: job.result ?? null,
    times: job.times ?? {},
    durations: job.durations ?? {},
  };
}

/** Known to this browser only. */
export const isLocal = (photo) => photo.state === 'sending' || photo.state === 'unsent';

export class Photos extends EventTarget {
  #all = new Map();
  #clock = 0;            // counts events
  #touched = new Map();  // id → { at, type } of its last event, where at is #clock
  #wanted = new Set();   // to be looked at
  #looking = 0;
  #withdrawn = new Set(); // of which nothing is to be seen any more

  get(id) {
    return this.#all.get(id);
  }

  /** Newest first. */
  all() {
    return [...this.#all.values()].sort((a, b) => b.rank - a.rank);
  }

  /** The moment to hand to `take` along with a document that is asked for now. */
  now() {
    return this.#clock;
  }

  /** Events: 'change' with detail { photo, before }, where before is the state it had (undefined: it is new), and 'remove' with { photo }. */
  set(id, patch) {
    const known = this.#all.get(id);
    const photo = known ?? { id, rank: rank(id, patch.times?.accepted) };
    const before = photo.state;
    this.#all.set(id, Object.assign(photo, patch));
    this.dispatchEvent(new CustomEvent('change', { detail: { photo, before } }));
  }

  drop(id) {
    const photo = this.#all.get(id);
    if (!this.#all.delete(id)) return;
    this.dispatchEvent(new CustomEvent('remove', { detail: { photo } }));
  }

  /** A document that was asked for at `moment`. */
  take(job, moment) {
    if (!job.input?.content_type?.startsWith('image/')) return; // of another program
    if (this.#withdrawn.has(job.id)) this.#unwanted(job.id);
    else if (this.#outdated(job, moment)) this.#acknowledged(job.id);
    else this.set(job.id, fromJob(job));
  }

  #outdated({ id, state }, moment) {
    const last = this.#touched.get(id);
    return last?.at > moment && (last.type === 'progress' ? 'running' : last.type) !== state;
  }

  // The server has it; what else there is to know comes at once, by the upload's answer where this tab sends it.
  #acknowledged(id) {
    const photo = this.#all.get(id);
    if (photo && isLocal(photo)) this.set(id, { state: 'queued', place: null, estimate: null });
    if (!photo?.active) this.look(id);
  }

  /** Asks the server how a photo stands. */
  look(id) {
    this.#wanted.add(id);
    this.#pump();
  }

  #pump() {
    for (const id of this.#wanted) {
      if (this.#looking >= kLooks) return;
      this.#wanted.delete(id);
      ++this.#looking;
      this.#lookAt(id).finally(() => {
        --this.#looking;
        this.#pump();
      });
    }
  }

  async #lookAt(id) {
    try {
      await persist(async () => {
        const moment = this.now();
        this.take(await api.job(id), moment);
      });
    } catch (error) {
      if (error.status === 404 || error.status === 410) this.drop(id);
    }
  }

  /** A server-sent event. */
  hear(type, data) {
    const id = data.job;
    this.#touched.set(id, { at: ++this.#clock, type });
    if (type === 'deleted') return this.drop(id);
    if (this.#withdrawn.has(id)) return this.#unwanted(id);
    // A document may have told already what this event is about, and more: then only another document tells how it stands.
    const state = this.#all.get(id)?.state;
    const follows = state === 'queued' || state === 'running';
    if (follows && type === 'running') this.set(id, { state: 'running', done: 0, total: 0 });
    else if (follows && type === 'progress') this.set(id, { state: 'running', done: data.done, total: data.total });
    else this.#acknowledged(id);
    return undefined;
  }

  #unwanted(id) {
    this.dispatchEvent(new CustomEvent('unwanted', { detail: { id } }));
  }

  /** Nothing more is to be seen of it. The event 'unwanted' with { id } tells that the server has it all the same. */
  withdraw(id) {
    this.#withdrawn.add(id);
    this.drop(id);
  }

  /** Everything anew. The stream of events must be open: what happens while this lists is then not missed. */
  async list() {
    const started = this.now();
    const acknowledged = this.all().filter((photo) => !isLocal(photo));
    const listed = new Set();
    let before = null;
    do {
      const moment = this.now();
      const page = await api.jobs(before);
      for (const job of page.jobs) {
        listed.add(job.id);
        this.take(job, moment);
      }
      before = page.next;
    } while (before);
    for (const { id } of acknowledged) {
      if (!listed.has(id) && !(this.#touched.get(id)?.at > started)) this.drop(id);
    }
  }
}
