// Where a photo's time went, as the server and this browser measured it: what the person waited, beside what went on behind.

import { duration, t } from './text.js';

const stages = [
  ['queue_seconds', 'In the queue', 'queue'],
  ['dispatch_seconds', 'Handing over to the worker', 'queue'],
  ['batch_wait_seconds', 'Waiting for a batch', 'queue'],
  ['preprocess_seconds', 'Preparing: reading the file', 'host'],
  ['h2d_seconds', 'To the device', 'host'],
  ['forward_seconds', 'The model itself', 'model'],
  ['d2h_seconds', 'From the device', 'host'],
  ['postprocess_seconds', 'Finishing: writing the file', 'host'],
  ['store_seconds', 'Storing', 'host'],
];

const sum = (rows) => rows.reduce((total, row) => total + row.seconds, 0);

/** Seconds until the server had acknowledged the photo; undefined: another browser sent it. */
export function waited({ waited: parts }) {
  return parts && parts.turn + parts.upload + parts.answer;
}

const between = (from, to) => (from && to ? (Date.parse(to) - Date.parse(from)) / 1000 : undefined);

/** Seconds of work; undefined: it has not ended yet. */
export function worked({ times }) {
  return between(times.claimed, times.stored);
}

function waitRows({ waited: parts }) {
  if (!parts) return [];
  return [['Waiting to be uploaded', parts.turn, 'queue'], ['Upload', parts.upload, 'send'], ['The server: from the last byte until it was stored', parts.answer, 'answer']]
    .map(([name, seconds, kind]) => ({ name, seconds, kind }));
}

function workRows({ durations }) {
  return stages.filter(([key]) => durations[key] !== undefined).map(([key, name, kind]) => ({ name, seconds: durations[key], kind }));
}

function element(name, className, text = '') {
  const made = document.createElement(name);
  made.className = className;
  made.textContent = text;
  return made;
}

// Both bars are drawn to one scale: that they differ is what there is to see.
function bar(title, rows, whole, longest) {
  const group = element('div', 'bar-group');
  const head = element('p', 'bar-head');
  head.append(element('b', '', title), element('span', '', duration(whole)));
  const line = element('div', 'line');
  line.setAttribute('aria-hidden', 'true');
  line.style.setProperty('--share', `${(100 * whole) / longest}%`);
  const list = element('dl', 'parts');
  for (const { name, seconds, kind } of rows) {
    const piece = element('i', kind);
    piece.style.setProperty('--part', seconds / (sum(rows) || 1));
    line.append(piece);
    const row = element('div', kind);
    row.append(element('dt', '', t(name)), element('dd', '', duration(seconds)));
    list.append(row);
  }
  group.append(head, line, list);
  return group;
}

export function show(place, photo) {
  const [wait, work] = [waitRows(photo), workRows(photo)];
  const behind = between(photo.times.accepted, photo.times.stored) ?? sum(work);
  const rest = behind - sum(work); // none of this photo's stages
  if (rest > 0.001) work.push({ name: 'Turns of other photos, and storing', seconds: rest, kind: 'queue' });
  const longest = Math.max(sum(wait), behind, 1e-9);
  place.replaceChildren();
  if (wait.length) place.append(bar(t('You waited'), wait, sum(wait), longest));
  if (work.length) place.append(bar(t('In the background'), work, behind, longest));
  if (photo.times.stored) place.append(element('p', 'whole', t('From the confirmation to the result. Stages of one photo overlap, so they need not add up to that.')));
}
