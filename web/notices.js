// What people are told besides the tiles: a short message on the page, the same to screen readers, and by the system when nobody looks.
// Of many alike that come together one message tells, with their number.

import { t, tn } from './text.js';

const kStays = 7000;    // milliseconds for which a message is seen after its last change
const kTogether = 1500; // milliseconds after which screen readers are told what has gathered
const kIcon = '/icon-192.png';

const shown = {
  uploaded: (n) => tn('Your photo is uploaded.', '{n} photos are uploaded.', n),
  done: (n, name) => tn('{name} is done.', '{n} photos are done.', n, { name }),
  failed: (n, name) => tn('{name} did not go well.', '{n} photos did not go well.', n, { name }),
  cancelled: (n, name) => tn('{name} is cancelled.', '{n} photos are cancelled.', n, { name }),
};

// Too frequent to be shown beside the tiles, and wanted by who doesn't see those.
const spoken = {
  ...shown,
  queued: (n, name) => tn('{name} is waiting.', '{n} photos are waiting.', n, { name }),
  running: (n, name) => tn('{name} is being worked on.', '{n} photos are being worked on.', n, { name }),
};

export class Notices {
  #toasts = document.getElementById('toasts');
  #announcer = document.getElementById('announcer');
  #showing = new Map();  // kind → { element, count, timer }
  #gathered = new Map(); // kind → { count, name }
  #timer = 0;
  #unseen = 0;           // photos done since somebody looked

  constructor() {
    document.addEventListener('visibilitychange', () => { this.#unseen = 0; });
  }

  /** kind: uploaded, queued, running, done, failed, cancelled. action() gives { text, run }, a button in the message, or nothing. */
  tell(kind, name, action) {
    if (shown[kind]) this.#show(kind, name, action);
    const { count } = this.#gathered.get(kind) ?? { count: 0 };
    this.#gathered.set(kind, { count: count + 1, name });
    this.#timer ||= setTimeout(() => this.#speak(), kTogether);
  }

  /** A sentence of its own. */
  say(text) {
    this.#put(text, text);
    this.#announcer.textContent = text;
  }

  #show(kind, name, action) {
    const count = (this.#showing.get(kind)?.count ?? 0) + 1;
    this.#put(kind, shown[kind](count, name), action).count = count;
  }

  #put(kind, text, action) {
    const toast = this.#showing.get(kind) ?? this.#make(kind, action);
    toast.element.querySelector('p').textContent = text;
    clearTimeout(toast.timer);
    const end = () => {
      if (toast.element.matches(':hover, :focus-within')) toast.timer = setTimeout(end, kStays);
      else this.#take(kind);
    };
    toast.timer = setTimeout(end, kStays);
    return toast;
  }

  #make(kind, offer) {
    const action = offer?.();
    const element = document.createElement('div');
    element.className = 'toast';
    element.dataset.kind = kind;
    element.append(document.createElement('p'));
    if (action) {
      const button = document.createElement('button');
      button.type = 'button';
      button.textContent = action.text;
      button.onclick = () => {
        this.#take(kind);
        action.run();
      };
      element.append(button);
    }
    this.#toasts.append(element);
    this.#showing.set(kind, { element });
    return this.#showing.get(kind);
  }

  #take(kind) {
    this.#showing.get(kind)?.element.remove();
    this.#showing.delete(kind);
  }

  #speak() {
    this.#timer = 0;
    this.#announcer.textContent = [...this.#gathered].map(([kind, { count, name }]) => spoken[kind](count, name)).join(' ');
    this.#gathered.clear();
  }

  /** By the system, if it may and nobody looks at any of the tabs. */
  async notify(photo) {
    if (!mayNotify('granted') || !document.hidden) return;
    const count = ++this.#unseen;
    const options = { body: shown.done(count, photo.label), tag: 'done', icon: kIcon, data: `/#photo-${photo.id}` };
    const title = tn('Your photo is ready', 'Your photos are ready', count);
    const registration = await navigator.serviceWorker?.getRegistration();
    if (registration?.active) registration.active.postMessage({ title, options }); // it knows of the other tabs
    else new Notification(title, options);
  }
}

/** Is the permission to notify in this state? In none where there are no notifications, as over plain HTTP. */
export function mayNotify(permission) {
  return isSecureContext && 'Notification' in globalThis && Notification.permission === permission;
}

/** In answer to a click or a key. */
export async function askToNotify(notices) {
  const answer = await Notification.requestPermission();
  notices.say(answer === 'granted' ? t('You will be notified when photos are done.') : t('Notifications stay off. The browser’s settings can change that.'));
}
