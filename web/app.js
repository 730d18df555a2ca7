// The page as a whole: its parts are made and joined here.

import * as api from './api.js';
import { Album } from './album.js';
import { Compare } from './compare.js';
import { connection, persist } from './connection.js';
import { Events } from './events.js';
import { watch } from './intake.js';
import { Notices, askToNotify, mayNotify } from './notices.js';
import { Photos, isLocal } from './photos.js';
import { identify, signOut } from './session.js';
import { Settings } from './settings.js';
import { Store } from './store.js';
import { choose, language, t, translate } from './text.js';
import { Thumbs } from './thumbs.js';
import { Uploads } from './uploads.js';
import * as words from './words.js';

const $ = (id) => document.getElementById(id);
const kPlaces = 2000;     // milliseconds between two looks at where waiting photos stand
const kNoticeable = 1500; // milliseconds without the server before it is said

const store = await Store.open();
const settings = new Settings();
const photos = new Photos();
const notices = new Notices();
const album = new Album(photos, settings.scales);
const thumbs = new Thumbs(store, photos, (id, blob) => album.picture(id, blob));
const uploads = new Uploads(store, photos);
const events = new Events();

// ---- what people do with a photo

function confirmed(photo) {
  const dialog = $('confirm');
  $('confirm-question').textContent = t('Delete {name}?', { name: photo.label });
  dialog.returnValue = '';
  dialog.showModal();
  return new Promise((resolve) => { dialog.onclose = () => resolve(dialog.returnValue === 'yes'); });
}

/** The server is asked, and its answer shown, or why there was none. */
async function ask(request, photo) {
  const moment = photos.now();
  try {
    const answer = await request(photo.id);
    if (answer.deleted) photos.drop(photo.id);
    else photos.take(answer, moment);
  } catch (error) {
    notices.say(error.status ? words.fault(error).why : t('The server can’t be reached just now.'));
  }
}

async function remove(photo) {
  if (isLocal(photo)) uploads.cancel(photo.id);
  else if (await confirmed(photo)) ask(api.remove, photo);
}

const acts = {
  open: (photo) => {
    history.pushState('opened', '', `#photo-${photo.id}`);
    route();
  },
  cancel: (photo) => (isLocal(photo) ? uploads.cancel(photo.id) : ask(api.cancel, photo)),
  retry: (photo) => (isLocal(photo) ? uploads.retry(photo.id) : ask(api.retry, photo)),
  delete: remove,
};

album.addEventListener('act', ({ detail: { action, photo } }) => acts[action](photo));
album.addEventListener('seen', async ({ detail: { id } }) => {
  thumbs.want(id);
  const { waited } = await store.note(id);
  if (waited && photos.get(id) && !photos.get(id).waited) photos.set(id, { waited });
});

// ---- what becomes of photos

photos.addEventListener('remove', ({ detail: { photo } }) => thumbs.forget(photo.id));
photos.addEventListener('change', ({ detail: { photo, before } }) => {
  if (location.hash === `#photo-${photo.id}`) route();
  if (!before || before === photo.state || photo.state === 'sending') return;
  if (before === 'sending' && !isLocal(photo)) notices.tell('uploaded', photo.label, offerToNotify);
  notices.tell(['unsent', 'expired'].includes(photo.state) ? 'failed' : photo.state, photo.label);
  if (photo.state === 'done' && events.reads) notices.notify(photo);
});

// ---- the address: which photos are shown, or which one is looked at

let shelf = '';
const compare = new Compare(photos, {
  leave: () => {
    if (history.state === 'opened') return history.back();
    history.replaceState(null, '', `#${shelf}`);
    return route();
  },
  go: (id) => {
    history.replaceState(history.state, '', `#photo-${id}`);
    route();
  },
  remove,
});

function route() {
  const [, id] = location.hash.match(/^#photo-(.+)$/) ?? [];
  if (id && photos.get(id)?.state === 'done') return compare.open(photos.get(id));
  const left = compare.close();
  if (!id) shelf = location.hash.slice(1); // else it is not known yet, or no more
  album.filter(['working', 'done', 'failed'].includes(shelf) ? shelf : 'all');
  return left && album.focus(left);
}

addEventListener('hashchange', route);
navigator.serviceWorker?.addEventListener('message', ({ data }) => { location.hash = data.open.split('#')[1]; });

// ---- the bar at the top

function offerToNotify() {
  return mayNotify('default') ? { text: t('Notify me when it is done'), run: askForNotices } : undefined;
}

async function askForNotices() {
  await askToNotify(notices);
  $('notify').hidden = !mayNotify('default');
}

function speak() {
  document.documentElement.lang = language;
  translate(document.body);
  for (const button of document.querySelectorAll('[data-language]')) button.setAttribute('aria-pressed', String(button.dataset.language === language));
  tellConnection();
}

let away = 0;
function tellConnection() {
  clearTimeout(away);
  const tell = () => {
    $('connection').textContent = connection.reachable ? '' : t('No connection to the server. Your photos are kept here and go on by themselves.');
  };
  if (connection.reachable) tell();
  else away = setTimeout(tell, kNoticeable);
}

for (const button of document.querySelectorAll('[data-language]')) button.onclick = () => choose(button.dataset.language);
document.addEventListener('language', speak);
connection.addEventListener('change', tellConnection);
$('notify').hidden = !mayNotify('default');
$('notify').onclick = askForNotices;
$('sign-out').onclick = () => signOut(store);
addEventListener('beforeunload', (event) => store.volatile && event.preventDefault());

// ---- the server's side: who asks, what it can do, what there is, what happens

let listing = false, anew = false;
events.addEventListener('anew', async () => {
  anew = true;
  if (listing) return;
  listing = true;
  while (anew) {
    anew = false;
    await persist(() => photos.list());
    const pending = new Set((await store.all()).map(({ id }) => id));
    store.keepNotes((id) => photos.get(id) || pending.has(id));
  }
  listing = false;
});

let heard = 0;
events.addEventListener('hear', ({ detail: { type, data } }) => {
  ++heard;
  photos.hear(type, data);
});

// Where a photo stands in the queue changes with every other one: those on the screen are looked at again.
setInterval(() => {
  if (document.hidden || !heard || !connection.reachable) return;
  heard = 0;
  for (const id of album.visible) if (photos.get(id)?.state === 'queued') photos.look(id);
}, kPlaces);

speak();
route();
watch(async (files) => {
  await settings.known;
  uploads.add(files, settings.chosen);
});
uploads.sync(); // what this browser has not sent yet is seen before the server has said a word
navigator.serviceWorker?.register('/sw.js').catch(() => {});
try {
  api.onUnknown(() => identify(store));
  await api.identify();
  uploads.start();
  events.start();
  await settings.load();
  album.redraw();
} catch (error) {
  $('trouble').textContent = error.status ? words.fault(error).why : String(error);
  $('trouble').hidden = false;
}
