// What this browser keeps (IndexedDB), shared by its tabs:
//   uploads  photos that the server has not acknowledged, in the order in which they are to be sent
//   files    their bytes, by the same id
//   notes    what only this browser knows of a photo: a thumbnail, and how long the person waited
// A tab sends an upload after claiming it: a lease, so that no two tabs send the same and at most kSlots are sent at a time, and so that a
// tab that was closed leaves nothing behind for longer than the lease. A transaction of IndexedDB is atomic across tabs.
// What the database does not take (no space, forbidden) is held in memory, for as long as the page lasts.

export const kSlots = 3;
export const kLease = 20_000; // milliseconds
const kTell = 100; // milliseconds after which other tabs are told of what changed

const settled = (request) => new Promise((resolve, reject) => {
  request.onsuccess = () => resolve(request.result);
  request.onerror = () => reject(request.error);
});

async function openDatabase() {
  const request = indexedDB.open('lapse', 1);
  request.onupgradeneeded = () => {
    request.result.createObjectStore('uploads', { keyPath: 'id' });
    request.result.createObjectStore('files');
    request.result.createObjectStore('notes');
  };
  const database = await settled(request);
  database.onversionchange = () => database.close();
  return database;
}

const bySending = (a, b) => a.order - b.order;

export class Store extends EventTarget {
  #database = null;
  #memory = new Map(); // id → { upload, file }, of what the database did not take
  #telling = 0;
  #channel = new BroadcastChannel('lapse.uploads');

  /** The event 'change' tells that another tab has added, changed or removed an upload. */
  static async open() {
    const store = new Store();
    store.#database = await openDatabase().catch(() => null);
    store.#channel.onmessage = () => store.dispatchEvent(new Event('change'));
    return store;
  }

  /** Would photos be lost if the page were closed now? */
  get volatile() {
    return this.#memory.size > 0;
  }

  async add(upload, file) {
    const kept = await this.#transaction(['uploads', 'files'], ({ uploads, files }) => {
      uploads.put(upload);
      files.put(file, upload.id);
      return true;
    }).catch(() => false);
    if (!kept) this.#memory.set(upload.id, { upload, file });
    this.#tell();
  }

  /** In the order of sending. */
  async all() {
    const kept = await this.#read('uploads', (uploads) => uploads.getAll());
    return [...(kept ?? []), ...[...this.#memory.values()].map((held) => held.upload)].sort(bySending);
  }

  async file(id) {
    const held = this.#memory.get(id);
    if (held) return held.file;
    return this.#read('files', (files) => files.get(id));
  }

  /** The next upload that nobody sends, now leased to this tab; null: there is none, or as many are being sent as may be. */
  async claim(tab, busy) {
    const now = Date.now();
    const pick = (uploads) => {
      const free = (upload) => !(upload.until > now) || (upload.holder === tab && !busy.has(upload.id));
      if (uploads.filter((upload) => !free(upload)).length >= kSlots) return null;
      return uploads.sort(bySending).find((upload) => free(upload) && !upload.failure && !upload.settled && !busy.has(upload.id));
    };
    const lease = (upload) => Object.assign(upload, { holder: tab, until: now + kLease });
    const claimed = await this.#transaction(['uploads'], async ({ uploads }) => {
      const found = pick(await settled(uploads.getAll()));
      if (found) uploads.put(lease(found));
      return found;
    }).catch(() => null);
    if (claimed) return claimed;
    const held = busy.size < kSlots && pick([...this.#memory.values()].map(({ upload }) => upload));
    return held ? lease(held) : null;
  }

  renew(id) {
    return this.change(id, { until: Date.now() + kLease }, false);
  }

  release(id) {
    return this.change(id, { until: 0 }, false);
  }

  async change(id, patch, tell = true) {
    const held = this.#memory.get(id);
    if (held) Object.assign(held.upload, patch);
    else {
      await this.#transaction(['uploads'], async ({ uploads }) => {
        const upload = await settled(uploads.get(id));
        if (upload) uploads.put({ ...upload, ...patch });
      }).catch(() => {});
    }
    if (tell) this.#tell();
  }

  async remove(id) {
    this.#memory.delete(id);
    await this.#transaction(['uploads', 'files'], ({ uploads, files }) => {
      uploads.delete(id);
      files.delete(id);
    }).catch(() => {});
    this.#tell();
  }

  async note(id) {
    return (await this.#read('notes', (notes) => notes.get(id))) ?? {};
  }

  /** A thumbnail that is not kept is made again: no reason to fail. */
  addNote(id, patch) {
    return this.#transaction(['notes'], async ({ notes }) => {
      notes.put({ ...(await settled(notes.get(id))), ...patch }, id);
    }).catch(() => {});
  }

  /** Forgets what was noted of photos that are no more. */
  keepNotes(wanted) {
    return this.#transaction(['notes'], async ({ notes }) => {
      for (const id of await settled(notes.getAllKeys())) if (!wanted(id)) notes.delete(id);
    }).catch(() => {});
  }

  /** As after signing out: the next person is to find nothing. */
  async clear() {
    this.#memory.clear();
    await this.#transaction(['uploads', 'files', 'notes'], (tables) => Object.values(tables).forEach((table) => table.clear())).catch(() => {});
    this.#tell();
  }

  #tell() {
    this.#telling ||= setTimeout(() => {
      this.#telling = 0;
      this.#channel.postMessage('change');
    }, kTell);
  }

  /** Nothing, where it can't be read. */
  async #read(name, ask) {
    try {
      return await settled(ask(this.#database.transaction(name).objectStore(name)));
    } catch {
      return undefined;
    }
  }

  /** work({ name: objectStore }) may await nothing but requests of this transaction. */
  async #transaction(names, work) {
    if (!this.#database) return undefined;
    const transaction = this.#database.transaction(names, 'readwrite');
    const ended = new Promise((resolve, reject) => {
      transaction.oncomplete = resolve;
      transaction.onabort = () => reject(transaction.error);
    });
    ended.catch(() => {}); // it is awaited below, unless work fails first
    const result = await work(Object.fromEntries(names.map((name) => [name, transaction.objectStore(name)])));
    await ended;
    return result;
  }
}
