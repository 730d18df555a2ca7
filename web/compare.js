// One photo, before and after: a slider between the two (mouse, touch, keyboard), zoom down to single pixels, and the times.
// Both pictures lie on each other at one place and size; the upper one is clipped at the slider. All lengths are CSS pixels of the stage.

import { resultName } from './album.js';
import { t } from './text.js';
import * as times from './times.js';
import { sentence } from './words.js';

const kStep = 1.4;      // of a zoom by button or key
const kMove = 60;       // pixels by an arrow key
const kLargest = 16;    // screen pixels a pixel of the result, at most
const kSquare = 3;      // from as many on pixels are drawn as squares, not smoothed

const $ = (id) => document.getElementById(id);
const clamp = (value, least, most) => Math.min(Math.max(value, least), most);

export class Compare {
  #dialog = $('compare');
  #stage = $('stage');
  #slider = $('slider');
  #images = { before: $('before'), after: $('after') };
  #photos;
  #id = null;
  #size = null;  // of the result, in its own pixels; null until it is there
  #scale = 1;    // stage pixels a pixel of the result
  #x = 0;        // where the pictures' corner lies on the stage
  #y = 0;
  #pointers = new Map(); // id → where it is, of fingers and the mouse
  #grip = null;  // what the pointers that are down move: 'slider' or 'picture'

  /** leave() and go(id) change the page's address, which opens and closes this; remove(photo) deletes. */
  constructor(photos, { leave, go, remove }) {
    this.#photos = photos;
    this.#dialog.addEventListener('cancel', (event) => {
      event.preventDefault();
      leave();
    });
    $('compare-close').onclick = leave;
    $('compare-delete').onclick = () => remove(this.#photos.get(this.#id));
    $('compare-previous').onclick = () => go(this.#neighbour(-1));
    $('compare-next').onclick = () => go(this.#neighbour(1));
    $('zoom-in').onclick = () => this.#zoom(this.#scale * kStep);
    $('zoom-out').onclick = () => this.#zoom(this.#scale / kStep);
    $('zoom-fit').onclick = () => this.#fit();
    $('zoom-pixels').onclick = () => this.#zoom(1 / devicePixelRatio);
    this.#slider.addEventListener('input', () => this.#clip());
    this.#stage.addEventListener('keydown', (event) => this.#key(event));
    this.#stage.addEventListener('wheel', (event) => this.#wheel(event), { passive: false });
    for (const type of ['pointerdown', 'pointermove', 'pointerup', 'pointercancel']) {
      this.#stage.addEventListener(type, (event) => this.#pointer(event));
    }
    new ResizeObserver(() => this.#resized()).observe(this.#stage);
    photos.addEventListener('change', ({ detail: { photo } }) => photo.id === this.#id && this.#describe(photo));
    photos.addEventListener('remove', ({ detail: { photo } }) => photo.id === this.#id && leave());
    document.addEventListener('language', () => this.#id && this.#describe(this.#photos.get(this.#id)));
    for (const [name, image] of Object.entries(this.#images)) {
      image.onload = () => this.#loaded(name);
      image.onerror = () => this.#word(name === 'after' ? t('This browser can’t show the result. It can be downloaded.') : t('This browser can’t show the original, only the result.'));
    }
  }

  open(photo) {
    if (this.#id !== photo.id) {
      this.#id = photo.id;
      this.#size = null;
      this.#slider.value = 50;
      this.#clip();
      this.#word(t('Loading …'));
      this.#images.before.src = photo.input.href;
      this.#images.after.src = photo.result.href;
      this.#images.before.alt = t('Before: {name}', { name: photo.label });
      this.#images.after.alt = t('After: {name}', { name: photo.label });
    }
    this.#describe(photo);
    if (this.#dialog.open) return;
    this.#dialog.showModal();
    this.#slider.focus({ preventScroll: true });
  }

  /** @returns the id of the photo that was looked at. */
  close() {
    if (!this.#dialog.open) return null;
    const id = this.#id;
    this.#dialog.close();
    this.#id = null;
    this.#pointers.clear();
    for (const image of Object.values(this.#images)) image.removeAttribute('src'); // large pictures take memory
    return id;
  }

  #describe(photo) {
    $('compare-name').textContent = photo.label;
    $('compare-sizes').textContent = this.#sizes();
    if (photo.result) {
      $('compare-download').href = `${photo.result.href}?download=1`;
      $('compare-download').download = resultName(photo);
    }
    $('compare-previous').disabled = !this.#neighbour(-1);
    $('compare-next').disabled = !this.#neighbour(1);
    times.show($('times-rows'), photo);
    $('remarks').replaceChildren(...photo.remarks.map((text) => Object.assign(document.createElement('li'), { textContent: sentence(t(text)) })));
  }

  #sizes() {
    const size = ({ naturalWidth: width, naturalHeight: height }) => (width ? `${width} × ${height}` : '?');
    return this.#size ? `${size(this.#images.before)} → ${size(this.#images.after)}` : ' ';
  }

  #neighbour(by) {
    const done = this.#photos.all().filter(({ state }) => state === 'done');
    return done[done.findIndex(({ id }) => id === this.#id) + by]?.id;
  }

  #word(text) {
    $('stage-word').textContent = text;
  }

  #loaded(name) {
    if (name === 'before') return this.#describe(this.#photos.get(this.#id));
    const { naturalWidth: width, naturalHeight: height } = this.#images.after;
    this.#size = { width, height };
    this.#word('');
    this.#fit();
    return this.#describe(this.#photos.get(this.#id));
  }

  // ---- where the pictures lie

  #whole() {
    const { clientWidth, clientHeight } = this.#stage;
    return Math.min(clientWidth / this.#size.width, clientHeight / this.#size.height);
  }

  #fit() {
    if (!this.#size) return;
    this.#scale = this.#whole();
    this.#place(-Infinity, -Infinity);
  }

  /** The point of the picture that lies at (x, y) of the stage stays there; the stage's middle where it is not said. */
  #zoom(scale, x = this.#stage.clientWidth / 2, y = this.#stage.clientHeight / 2) {
    if (!this.#size) return;
    const least = Math.min(this.#whole(), 1 / devicePixelRatio);
    const to = clamp(scale, least, kLargest / devicePixelRatio);
    const ratio = to / this.#scale;
    this.#scale = to;
    this.#place(x - (x - this.#x) * ratio, y - (y - this.#y) * ratio);
  }

  // Never out of sight: a side that is shorter than the stage lies in the middle of it.
  #place(x, y) {
    const { clientWidth, clientHeight } = this.#stage;
    const width = this.#size.width * this.#scale, height = this.#size.height * this.#scale;
    const hold = (at, room) => (room >= 0 ? room / 2 : clamp(at, room, 0));
    this.#x = hold(x, clientWidth - width);
    this.#y = hold(y, clientHeight - height);
    for (const image of Object.values(this.#images)) {
      image.style.setProperty('width', `${this.#size.width}px`);
      image.style.setProperty('height', `${this.#size.height}px`);
      image.style.setProperty('transform', `translate(${this.#x}px, ${this.#y}px) scale(${this.#scale})`);
    }
    this.#stage.classList.toggle('squares', this.#scale * devicePixelRatio >= kSquare);
    this.#stage.classList.toggle('movable', this.#movable());
    $('zoom-fit').setAttribute('aria-pressed', String(Math.abs(this.#scale - this.#whole()) < 1e-6));
    $('zoom-pixels').setAttribute('aria-pressed', String(Math.abs(this.#scale * devicePixelRatio - 1) < 1e-6));
  }

  #movable() {
    return this.#size !== null && this.#scale > this.#whole() * 1.001;
  }

  #resized() {
    if (!this.#size) return;
    if ($('zoom-fit').getAttribute('aria-pressed') === 'true') this.#fit();
    else this.#place(this.#x, this.#y);
  }

  #clip() {
    this.#stage.style.setProperty('--at', `${this.#slider.value}%`);
    this.#slider.setAttribute('aria-valuetext', t('{n} % before, {m} % after', { n: this.#slider.value, m: 100 - this.#slider.value }));
  }

  // ---- keys, wheel and pointers

  #key(event) {
    const onSlider = event.target === this.#slider;
    const moves = { ArrowLeft: [kMove, 0], ArrowRight: [-kMove, 0], ArrowUp: [0, kMove], ArrowDown: [0, -kMove] };
    const zooms = { '+': this.#scale * kStep, '=': this.#scale * kStep, '-': this.#scale / kStep, 1: 1 / devicePixelRatio };
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key in zooms) this.#zoom(zooms[event.key]);
    else if (event.key === '0') this.#fit();
    else if (event.key in moves && !onSlider && this.#size) this.#place(this.#x + moves[event.key][0], this.#y + moves[event.key][1]);
    else return;
    event.preventDefault();
  }

  #wheel(event) {
    event.preventDefault();
    const { left, top } = this.#stage.getBoundingClientRect();
    this.#zoom(this.#scale * Math.exp(-event.deltaY * (event.ctrlKey ? 0.01 : 0.002)), event.clientX - left, event.clientY - top);
  }

  // One pointer moves the picture where there is more of it than is seen, else the slider; two zoom. The slider's own handle moves itself.
  #pointer(event) {
    if (event.target === this.#slider) return;
    const at = { x: event.clientX, y: event.clientY };
    const before = this.#pointers.get(event.pointerId);
    if (event.type === 'pointerdown' && event.button === 0) {
      this.#stage.setPointerCapture(event.pointerId);
      this.#pointers.set(event.pointerId, at);
      this.#grip = this.#movable() || this.#pointers.size > 1 ? 'picture' : 'slider';
      if (this.#grip === 'slider') this.#slide(at.x);
    } else if (event.type !== 'pointermove') {
      this.#pointers.delete(event.pointerId);
    } else if (before) {
      this.#drag(event.pointerId, before, at);
    }
  }

  #drag(pointer, before, at) {
    const others = [...this.#pointers].filter(([id]) => id !== pointer).map(([, where]) => where);
    this.#pointers.set(pointer, at);
    if (!this.#size) return;
    if (this.#grip === 'slider') return this.#slide(at.x);
    if (others.length === 0) return this.#place(this.#x + at.x - before.x, this.#y + at.y - before.y);
    const { left, top } = this.#stage.getBoundingClientRect();
    const far = (from) => Math.hypot(from.x - others[0].x, from.y - others[0].y);
    const middle = { x: (at.x + others[0].x) / 2, y: (at.y + others[0].y) / 2 };
    this.#place(this.#x + (at.x - before.x) / 2, this.#y + (at.y - before.y) / 2);
    return this.#zoom(this.#scale * (far(at) / Math.max(1, far(before))), middle.x - left, middle.y - top);
  }

  #slide(clientX) {
    const { left, width } = this.#stage.getBoundingClientRect();
    this.#slider.value = clamp((100 * (clientX - left)) / width, 0, 100);
    this.#clip();
  }
}
