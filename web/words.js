// What is said of a photo: its state, and why something did not go well.

import { count, duration, isTranslated, t } from './text.js';

const byCode = {
  bad_input: 'this file can’t be read as a picture',
  too_large: 'this photo is too large',
  unsupported: 'pictures of this kind are not taken',
  deadline: 'it took too long',
  out_of_memory: 'there is not enough memory for it',
};

/** The server's words, as a sentence stands on a page. */
export function sentence(text) {
  const whole = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(whole) ? whole : `${whole}.`;
}

/**
 * { why, more } of an error { code, message, hint }. The server's sentence in the person's language; where it is not known there, what its
 * code means, and the sentence as it is beside it.
 */
export function fault({ code, message, hint }) {
  if (isTranslated(message)) return { why: sentence(t(message)), more: hint };
  return { why: sentence(t(byCode[code] ?? 'something went wrong on the server')), more: message };
}

function waiting({ place, estimate }) {
  if (place === null) return t('Uploaded. Waiting for its turn.');
  const values = { place: count(place + 1), time: estimate === null ? '' : duration(Math.max(1, estimate)) };
  if (estimate === null) return place === 0 ? t('Uploaded. It is next.') : t('Uploaded. Waiting: place {place}.', values);
  return place === 0 ? t('Uploaded. It is next, about {time}.', values) : t('Uploaded. Waiting: place {place}, about {time}.', values);
}

function sending({ active, sent, held }, reachable) {
  if (!reachable) return t('Waiting for the connection.');
  if (held === 'busy') return t('The server is busy. It is sent again soon.');
  if (!active) return t('Waiting to be uploaded.');
  return sent < 1 ? t('Uploading, {n} %', { n: count(sent * 100) }) : t('Uploading, nearly there');
}

export function state(photo, reachable) {
  if (photo.cancelling) return t('Cancelling …');
  switch (photo.state) {
    case 'sending': return sending(photo, reachable);
    case 'queued': return waiting(photo);
    // One: the worker has not said how many there are.
    case 'running': return photo.total > 1 ? t('Working: {done} of {total} tiles', { done: count(photo.done), total: count(photo.total) }) : t('Working');
    case 'done': return t('Done');
    case 'cancelled': return t('Cancelled');
    case 'expired': return t('It was not done in time.');
    default: return fault(photo.error).why;
  }
}
