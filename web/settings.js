// What is to be done with the photos that are chosen next: how much larger, in which format. Remembered by this browser, models included,
// so that photos can be chosen while the server is away.

import * as api from './api.js';
import { persist } from './connection.js';
import { t } from './text.js';

const $ = (id) => document.getElementById(id);

export class Settings {
  #resolve;
  /** Model → how much larger it makes a photo. */
  scales = new Map();
  /** When there is something to choose from. */
  known = new Promise((resolve) => { this.#resolve = resolve; });

  constructor() {
    this.#offer(JSON.parse(localStorage.getItem('lapse.models') ?? '[]'));
    $('format').value = localStorage.getItem('lapse.format') ?? 'auto';
    $('format').onchange = () => localStorage.setItem('lapse.format', $('format').value);
    const options = $('options');
    const shut = () => { options.open = false; };
    addEventListener('pointerdown', ({ target }) => options.contains(target) || shut());
    options.addEventListener('keydown', ({ key }) => {
      if (key !== 'Escape') return;
      shut();
      options.querySelector('summary').focus();
    });
    $('scales').onchange = () => localStorage.setItem('lapse.model', this.chosen.model);
  }

  get chosen() {
    return { model: document.querySelector('#scales :checked').value, format: $('format').value, keep_metadata: $('metadata').checked };
  }

  /** Asks the server for its models. */
  async load() {
    const described = await persist(async () => {
      const { models } = await api.models();
      return Promise.all(models.map(async ({ name }) => ({ name, scale: (await api.model(name)).parameters?.photo?.scale })));
    });
    const models = described.filter(({ scale }) => scale).sort((a, b) => a.scale - b.scale);
    localStorage.setItem('lapse.models', JSON.stringify(models));
    this.#offer(models);
    $('trouble').hidden = models.length > 0;
    $('trouble').textContent = models.length ? '' : t('This server has no model for photos.');
  }

  #offer(models) {
    const wanted = document.querySelector('#scales :checked')?.value ?? localStorage.getItem('lapse.model');
    const chosen = models.find(({ name }) => name === wanted) ?? models[0];
    for (const old of $('scales').querySelectorAll('label')) old.remove();
    for (const { name, scale } of models) {
      const input = Object.assign(document.createElement('input'), { type: 'radio', name: 'model', value: name, className: 'unseen', checked: name === chosen.name });
      const option = document.createElement('label');
      option.append(input, Object.assign(document.createElement('span'), { textContent: `×${scale}` }));
      $('scales').append(option);
      this.scales.set(name, scale);
    }
    if (models.length) this.#resolve();
  }
}
