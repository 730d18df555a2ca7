// Who asks: a cookie for this browser, given for nothing or, where the server asks for one, for a token.

import * as api from './api.js';
import { persist } from './connection.js';
import { t } from './text.js';

const root = document.documentElement;
const tabs = new BroadcastChannel('lapse.session');
const isNamed = (owner) => owner && owner !== 'local' && !owner.startsWith('anon-');

// Another tab became somebody else, and with the cookie so did this one.
tabs.onmessage = ({ data }) => root.dataset.owner && data !== root.dataset.owner && location.reload();

async function begin(store, token) {
  const { owner } = await persist(() => api.beginSession(token));
  if (root.dataset.owner && root.dataset.owner !== owner) location.reload();
  root.dataset.owner = owner;
  // What somebody else has left here is not shown, and not sent under another name.
  const last = localStorage.getItem('lapse.owner');
  if (isNamed(last) && last !== owner) await store.clear();
  localStorage.setItem('lapse.owner', owner);
  document.getElementById('sign-out').hidden = !isNamed(owner);
  tabs.postMessage(owner);
}

function askForToken(store) {
  const dialog = document.getElementById('login');
  const token = document.getElementById('token');
  return new Promise((resolve) => {
    dialog.oncancel = (event) => event.preventDefault(); // there is nothing behind it to go back to
    dialog.onclose = async () => {
      try {
        await begin(store, token.value.trim());
        resolve();
      } catch {
        document.getElementById('login-word').textContent = t('This token is not known, or its time has passed.');
        dialog.showModal();
        token.select();
      }
    };
    dialog.showModal();
  }).finally(() => { token.value = ''; });
}

export function identify(store) {
  return begin(store).catch((error) => (error.status === 401 ? askForToken(store) : Promise.reject(error)));
}

export async function signOut(store) {
  await api.endSession().catch(() => {});
  await store.clear();
  tabs.postMessage(null);
  location.reload();
}
