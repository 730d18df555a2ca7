// The album: a tile for each photo, which follows its state. Changes are drawn once a frame, however many there are.

import { connection } from './connection.js';
import { bytes, duration, label, t } from './text.js';
import { waited, worked } from './times.js';
import * as words from './words.js';

const template = document.getElementById('tile').content.firstElementChild;

const actions = {
  sending: ['cancel'],
  unsent: ['retry', 'delete'],
  queued: ['cancel'],
  running: ['cancel'],
  done: ['download', 'delete'],
  failed: ['retry', 'delete'],
  cancelled: ['retry', 'delete'],
  expired: ['retry', 'delete'],
};

const shelves = {
  all: () => true,
  working: ({ state }) => ['sending', 'queued', 'running'].includes(state),
  done: ({ state }) => state === 'done',
  failed: ({ state }) => ['unsent', 'failed', 'expired'].includes(state),
};

const shelfOf = (photo) => Object.keys(shelves).findLast((name) => shelves[name](photo));

/** "photo.jpg" enlarged twice and written as PNG: "photo-x2.png". */
export function resultName({ label: name, model, result }) {
  const type = { 'image/jpeg': 'jpg', 'image/png': 'png', 'image/webp': 'webp' }[result?.content_type];
  const stem = name.replace(/\.[^.]*$/, '') || name;
  return `${stem}-${model.replace(/^photo-/, '')}${type ? `.${type}` : ''}`;
}

function note(photo) {
  if (photo.error) return words.fault(photo.error).more;
  if (photo.state !== 'done') return '';
  const [wait, work] = [waited(photo), worked(photo)];
  if (work === undefined) return '';
  if (wait === undefined) return t('Took {work} in the background', { work: duration(work) });
  return t('You waited {wait}, the work took {work}', { wait: duration(wait), work: duration(work) });
}

/** Where it shows how far a photo is: uploaded, waited, worked; each from 0 to 1. */
function steps({ state, sent, done, total }) {
  if (state === 'sending') return [sent, 0, 0];
  if (state === 'queued') return [1, 0, 0];
  if (state === 'running') return [1, 1, total ? done / total : 0];
  return state === 'done' ? [1, 1, 1] : [0, 0, 0];
}

class Tile {
  constructor(id) {
    this.element = template.cloneNode(true);
    this.element.dataset.id = id;
    this.parts = Object.fromEntries(['blank', 'scale', 'open', 'name', 'state', 'note', 'retry', 'cancel', 'download', 'delete']
      .map((name) => [name, this.element.querySelector(`.${name}`)]));
    this.parts.image = this.element.querySelector('img');
    this.parts.steps = [...this.element.querySelectorAll('.steps i')];
  }

  draw(photo, scale) {
    const { element, parts } = this;
    const values = { name: photo.label };
    element.dataset.state = photo.state;
    element.dataset.shelf = shelfOf(photo);
    parts.name.textContent = photo.label;
    parts.name.title = photo.label;
    parts.image.alt = photo.label;
    parts.scale.textContent = scale ? `×${scale}` : '';
    const text = words.state(photo, connection.reachable);
    if (parts.state.textContent !== text) parts.state.textContent = text;
    parts.note.textContent = note(photo);
    steps(photo).forEach((part, i) => parts.steps[i].style.setProperty('--part', part));
    for (const name of ['retry', 'cancel', 'download', 'delete']) parts[name].hidden = !actions[photo.state].includes(name) || Boolean(photo.cancelling);
    parts.open.hidden = photo.state !== 'done';
    label(parts.open, t('Compare before and after: {name}', values));
    label(parts.retry, t('Try again: {name}', values));
    label(parts.cancel, t('Cancel: {name}', values));
    label(parts.delete, t('Delete: {name}', values));
    if (photo.result) {
      label(parts.download, t('Download: {name}, {size}', { ...values, size: bytes(photo.result.bytes) }));
      parts.download.href = `${photo.result.href}?download=1`;
      parts.download.download = resultName(photo);
    }
  }

  /** Takes the picture's place; the blob is let go of once it has been decoded. */
  picture(blob) {
    const { image, blank } = this.parts;
    const url = URL.createObjectURL(blob);
    const drawn = (ok) => {
      URL.revokeObjectURL(url);
      image.hidden = !ok;
      blank.toggleAttribute('hidden', ok);
    };
    image.loading = 'eager'; // it is in memory already
    image.onload = () => drawn(true);
    image.onerror = () => drawn(false);
    image.src = url;
    image.hidden = false;
  }
}

export class Album extends EventTarget {
  #list = document.getElementById('album');
  #filters = document.getElementById('filters');
  #nothing = document.getElementById('nothing');
  #photos;
  #tiles = new Map();
  #changed = new Set();
  #frame = 0;
  #seen = new Set(); // ids of the tiles on the screen, and near it
  #watch = new IntersectionObserver((entries) => this.#looked(entries), { rootMargin: '300px' });

  /** Events: 'act' with { action, photo } and 'seen' with { id }. scales: model → how much larger. */
  constructor(photos, scales) {
    super();
    this.#photos = photos;
    this.scales = scales;
    photos.addEventListener('change', ({ detail }) => this.#mark(detail.photo.id));
    photos.addEventListener('remove', ({ detail }) => this.#mark(detail.photo.id));
    connection.addEventListener('change', () => this.redraw());
    document.addEventListener('language', () => this.redraw());
    this.#list.addEventListener('click', (event) => this.#clicked(event));
    this.#draw();
  }

  get visible() {
    return [...this.#seen];
  }

  redraw() {
    for (const { id } of this.#photos.all()) this.#mark(id);
    this.#mark(null);
  }

  filter(name) {
    this.#list.dataset.filter = name;
    for (const link of this.#filters.children) {
      if (link.dataset.filter === name) link.setAttribute('aria-current', 'true');
      else link.removeAttribute('aria-current');
    }
    this.#mark(null);
  }

  picture(id, blob) {
    this.#tiles.get(id)?.picture(blob);
  }

  /** The photo's tile, or what stands nearest, takes the focus. */
  focus(id) {
    const tile = this.#tiles.get(id)?.element;
    (tile?.querySelector('.open:not([hidden]), .actions :not([hidden])') ?? document.getElementById('album-heading')).focus();
  }

  #mark(id) {
    this.#changed.add(id);
    // Not by a frame where nobody looks: there are none in a hidden tab, and what happened is to be there when it is shown.
    this.#frame ||= document.hidden ? setTimeout(() => this.#draw(), 100) : requestAnimationFrame(() => this.#draw());
  }

  #draw() {
    this.#frame = 0;
    let added = false;
    for (const id of this.#changed) {
      const photo = this.#photos.get(id);
      if (!photo) this.#forget(id);
      else {
        if (!this.#tiles.has(id)) added = this.#tiles.set(id, new Tile(id));
        this.#tiles.get(id).draw(photo, this.scales.get(photo.model));
      }
    }
    this.#changed.clear();
    if (added) this.#place();
    this.#count();
  }

  // New tiles among those that are there, which stay where they are: whoever looks at one or stands on one is not disturbed.
  #place() {
    const added = [];
    let next = null;
    for (const { id } of this.#photos.all().reverse()) {
      const element = this.#tiles.get(id)?.element;
      if (!element) continue;
      if (!element.parentNode) {
        this.#list.insertBefore(element, next);
        added.unshift(element);
      }
      next = element;
    }
    for (const element of added) this.#watch.observe(element);
  }

  #forget(id) {
    const element = this.#tiles.get(id)?.element;
    if (!element) return;
    const focused = element.contains(document.activeElement);
    const neighbour = element.nextElementSibling ?? element.previousElementSibling;
    this.#watch.unobserve(element);
    this.#seen.delete(id);
    this.#tiles.delete(id);
    element.remove();
    if (focused) this.focus(neighbour?.dataset.id);
  }

  #count() {
    const photos = this.#photos.all();
    document.documentElement.toggleAttribute('data-empty', photos.length === 0);
    for (const link of this.#filters.children) {
      link.querySelector('b').textContent = photos.filter(shelves[link.dataset.filter]).length;
    }
    this.#nothing.hidden = photos.length === 0 || photos.some(shelves[this.#list.dataset.filter]);
  }

  #looked(entries) {
    for (const { target, isIntersecting } of entries) {
      const { id } = target.dataset;
      if (!isIntersecting) this.#seen.delete(id);
      else if (!this.#seen.has(id)) {
        this.#seen.add(id);
        this.dispatchEvent(new CustomEvent('seen', { detail: { id } }));
      }
    }
  }

  #clicked(event) {
    const action = ['open', 'retry', 'cancel', 'delete'].find((name) => event.target.closest(`.${name}`));
    const photo = this.#photos.get(event.target.closest('.tile')?.dataset.id);
    if (action && photo) this.dispatchEvent(new CustomEvent('act', { detail: { action, photo } }));
  }
}
