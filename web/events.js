// The server's events, by one stream for all tabs of the browser: a browser opens but six connections to a server.
// The tab that holds the lock reads the stream and passes on what it hears. Locks need a secure context: over plain HTTP each tab has a
// stream of its own, and only while it is seen.
//
// 'hear' tells of an event, { type, data }. 'anew' tells that events may have been missed: list, while what happens from now on is heard.
// That is so when a stream was opened without a position, and when the server no longer has what came after the position.

import * as api from './api.js';
import { Backoff, connection } from './connection.js';

const kTypes = ['queued', 'running', 'progress', 'done', 'failed', 'cancelled', 'expired', 'deleted'];
const kSilent = 3000;   // milliseconds for the reading tab to answer
const kHidden = 30_000; // milliseconds for which an unseen tab keeps a stream of its own

export class Events extends EventTarget {
  #channel = new BroadcastChannel('lapse.events');
  #position = null; // the last event heard
  #source = null;
  #open = false;    // the stream, of this tab or of the one that reads for it
  #following = false;
  #heard = false;   // from the tab that reads, since it was asked
  #attempt = 0;

  start() {
    if (navigator.locks) this.#share();
    else this.#alone();
  }

  /** Is this the tab that reads? What is to be done once and not in every tab is done there. */
  get reads() {
    return this.#source !== null;
  }

  #share() {
    this.#channel.onmessage = ({ data }) => this.#told(data);
    this.#follow();
    document.addEventListener('visibilitychange', () => document.hidden || this.#ask());
    this.#ask();
  }

  // A tab that was put to sleep by the system keeps its lock and reads no more: one that is seen takes it away.
  #ask() {
    if (this.reads) return;
    this.#heard = false;
    this.#channel.postMessage({ kind: 'ask' });
    setTimeout(() => this.#heard || this.reads || document.hidden || this.#follow({ steal: true }), kSilent);
  }

  #follow(options = {}) {
    navigator.locks.request('lapse.events', options, () => this.#read()).catch(() => {
      this.#stop(); // it was taken away
      this.#follow();
    });
  }

  #told({ kind, id, type, data }) {
    if (kind === 'ask') {
      if (this.reads) this.#channel.postMessage({ kind: this.#open ? 'open' : 'closed', id: this.#position });
      return;
    }
    if (this.reads) return;
    this.#heard = true;
    if (kind === 'event') this.#hear(id, type, data);
    else this.#opened(kind, id);
  }

  // Of the tab that reads: 'open' without a gap, 'anew' with one, 'closed'.
  #opened(kind, id) {
    const first = kind === 'open' && !this.#following;
    if (kind !== 'closed') this.#following = true;
    if (kind === 'anew' || first) {
      this.#position = id;
      this.dispatchEvent(new Event('anew'));
    }
    connection.note(kind !== 'closed');
  }

  #hear(id, type, data) {
    if (!this.#following || (this.#position !== null && id <= this.#position)) return;
    this.#position = id;
    this.dispatchEvent(new CustomEvent('hear', { detail: { type, data } }));
  }

  #alone() {
    let timer = 0;
    document.addEventListener('visibilitychange', () => {
      clearTimeout(timer);
      if (document.hidden) timer = setTimeout(() => this.#stop(), kHidden);
      else if (!this.reads) this.#read();
    });
    this.#read();
  }

  #stop() {
    ++this.#attempt;
    this.#source?.close();
    this.#source = null;
    this.#open = false;
  }

  /** Never ends of itself: the lock is held as long as the tab lives. */
  #read() {
    const attempt = ++this.#attempt;
    this.#connect(attempt, new Backoff());
    return new Promise(() => {});
  }

  #connect(attempt, backoff) {
    const source = new EventSource(this.#position === null ? '/v2/events' : `/v2/events?after=${this.#position}`);
    this.#source = source;
    const pass = (message) => this.#channel.postMessage(message);
    const anew = () => {
      pass({ kind: 'anew', id: this.#position });
      this.#opened('anew', this.#position);
    };
    source.onopen = () => {
      backoff.reset();
      this.#open = true;
      connection.note(true);
      if (this.#position === null) anew();
      else pass({ kind: 'open', id: this.#position });
    };
    for (const type of kTypes) {
      source.addEventListener(type, (event) => {
        const [id, data] = [Number(event.lastEventId), JSON.parse(event.data)];
        this.#hear(id, type, data);
        pass({ kind: 'event', id, type, data });
      });
    }
    source.addEventListener('reset', (event) => {
      this.#position = Number(event.lastEventId);
      anew();
    });
    // The stream is opened by hand again: the browser gives up for good where the answer is an error, as of a proxy whose server restarts.
    source.onerror = async () => {
      source.close();
      this.#open = false;
      connection.note(false);
      pass({ kind: 'closed' });
      do await connection.pause(backoff.next());
      while (attempt === this.#attempt && !(await api.probe().then(() => true, () => false)));
      if (attempt === this.#attempt) this.#connect(attempt, backoff);
    };
  }
}
