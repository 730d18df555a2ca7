// Small pictures for the tiles: made of the local file at once, kept by this browser, and made of the server's original where this browser
// never had the file. Decoding a photo takes memory: a few at a time, and only for tiles that are seen.

const kAtATime = 2;
const kWidth = 480;      // CSS pixels of the widest tile, on a screen of two pixels each
const kLargest = 40e6;   // bytes of an original that is fetched for its thumbnail

async function shrink(blob) {
  const bitmap = await createImageBitmap(blob, { resizeWidth: kWidth, resizeQuality: 'medium' });
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [bitmap.width, bitmap.height];
  canvas.getContext('2d').drawImage(bitmap, 0, 0);
  bitmap.close();
  return new Promise((resolve, reject) => {
    canvas.toBlob((made) => (made ? resolve(made) : reject(new Error('no thumbnail'))), 'image/webp', 0.8);
  });
}

export class Thumbs {
  #store;
  #photos;
  #show;
  #waiting = new Set();
  #done = new Set();
  #busy = 0;

  /** show(id, blob) is called once for each photo that was wanted, unless it can't be shown by this browser. */
  constructor(store, photos, show) {
    this.#store = store;
    this.#photos = photos;
    this.#show = show;
  }

  want(id) {
    if (this.#done.has(id)) return;
    this.#waiting.add(id);
    this.#pump();
  }

  forget(id) {
    this.#waiting.delete(id);
    this.#done.delete(id);
  }

  #pump() {
    for (const id of this.#waiting) {
      if (this.#busy >= kAtATime) return;
      this.#waiting.delete(id);
      this.#done.add(id);
      ++this.#busy;
      this.#make(id).catch(() => {}).finally(() => {
        --this.#busy;
        this.#pump();
      });
    }
  }

  async #make(id) {
    const local = this.#photos.get(id)?.file;
    const { thumb: kept } = local ? {} : await this.#store.note(id);
    if (kept) return this.#show(id, kept);
    const original = local ?? (await this.#original(id));
    if (!original) return undefined;
    const thumb = await shrink(original);
    this.#show(id, thumb);
    return this.#store.addNote(id, { thumb });
  }

  async #original(id) {
    const local = await this.#store.file(id);
    const input = this.#photos.get(id)?.input;
    if (local || !input || input.bytes > kLargest) return local;
    const response = await fetch(input.href);
    return response.ok ? response.blob() : null;
  }
}
