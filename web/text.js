// What people read, in their language. As in gettext, the key of a sentence is the English sentence itself; {name} stands for a value.
// The language is the first of the browser's that there is, unless the person has chosen one.

import korean from './korean.js';

const kKept = 'lapse.language';
const known = ['ko', 'en'];

function preferred() {
  const kept = localStorage.getItem(kKept);
  if (known.includes(kept)) return kept;
  const wanted = (navigator.languages ?? [navigator.language]).map((tag) => tag.slice(0, 2).toLowerCase());
  return wanted.find((tag) => known.includes(tag)) ?? 'en';
}

export let language = preferred();

/** The page is told by the event 'language' on document. */
export function choose(name) {
  language = name;
  localStorage.setItem(kKept, name);
  document.dispatchEvent(new Event('language'));
}

/** The sentence in the person's language. */
export function t(sentence, values = {}) {
  const text = (language === 'ko' && korean[sentence]) || sentence;
  return text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

/** The sentence that fits the number {n}. */
export function tn(one, many, n, values = {}) {
  return t(n === 1 ? one : many, { n: count(n), ...values });
}

export function isTranslated(sentence) {
  return language !== 'ko' || sentence in korean;
}

const formats = new Map(); // making one takes longer than using it

export function count(n, digits = 0) {
  const key = `${language}${digits}`;
  if (!formats.has(key)) formats.set(key, new Intl.NumberFormat(language, { maximumFractionDigits: digits }));
  return formats.get(key).format(n);
}

/** A duration as precisely as it is useful: 18 ms, 0.42 s, 5.9 s, 42 s, 3 min 20 s. */
export function duration(seconds) {
  if (seconds < 0.1) return t('{n} ms', { n: count(seconds * 1000, seconds < 0.01 ? 1 : 0) });
  if (seconds < 60) return t('{n} s', { n: count(seconds, seconds < 1 ? 2 : seconds < 10 ? 1 : 0) });
  const whole = Math.round(seconds);
  if (whole < 3600) return t('{m} min {s} s', { m: Math.floor(whole / 60), s: whole % 60 });
  return t('{h} h {m} min', { h: Math.floor(whole / 3600), m: Math.floor((whole % 3600) / 60) });
}

export function bytes(n) {
  const units = ['byte', 'kilobyte', 'megabyte', 'gigabyte'];
  const power = n < 1000 ? 0 : Math.min(3, Math.floor(Math.log10(n) / 3));
  const value = n / 1000 ** power;
  return new Intl.NumberFormat(language, { style: 'unit', unit: units[power], maximumFractionDigits: value < 10 && power ? 1 : 0 }).format(value);
}

const originals = new WeakMap(); // element → the English sentence it was written with

/** Texts (data-t) and labels (data-t-label) of what stands in the page's source. */
export function translate(root) {
  for (const element of root.querySelectorAll('[data-t]')) {
    if (!originals.has(element)) originals.set(element, element.textContent);
    element.textContent = t(originals.get(element));
  }
  for (const element of root.querySelectorAll('[data-t-label]')) label(element, t(element.dataset.tLabel));
}

/** For who can't see a control's icon, and as a tooltip for who wonders about it. */
export function label(element, text) {
  element.setAttribute('aria-label', text);
  if (element.matches('.icon, summary')) element.title = text;
}
