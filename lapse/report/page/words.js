'use strict';
// What people read, in their language, and numbers as lapse writes them everywhere (lapse/report/quantity.cpp). As in gettext, the key of
// a sentence is the English sentence itself; {name} stands for a value.

let language = document.documentElement.lang;

/** The sentence in the person's language. */
function t(sentence, values = {}) {
  const text = (language === 'ko' && korean[sentence]) || sentence;
  return text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

/** The sentence that fits the number {n}. */
function tn(one, many, n, values = {}) {
  return t(n === 1 ? one : many, { n: grouped(n), ...values });
}

/** "3,688" */
function grouped(n) {
  return String(n).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** The unit that fits so many nanoseconds. */
function unitOf(ns) {
  const size = Math.abs(ns);
  // A hair below each power of ten, so that 999.96 µs reads "1.000 ms" and not "1000.0 µs".
  if (size < 999.95) return { name: 'ns', scale: 1 };
  if (size < 999.95e3) return { name: 'µs', scale: 1e3 };
  if (size < 999.95e6) return { name: 'ms', scale: 1e6 };
  return { name: 's', scale: 1e9 };
}

/** "5.053 ms" */
function duration(ns) {
  if (!Number.isFinite(ns)) return '?';
  const { name, scale } = unitOf(ns);
  const size = Math.abs(ns / scale);
  return `${(ns / scale).toFixed(size < 9.9995 ? 3 : size < 99.995 ? 2 : 1)} ${name}`;
}

/** "5.041 … 5.066 ms", "999.1 µs … 1.002 ms", "0 … 4.000 ms" */
function durationRange(low, high, between = '…') {
  const [first, last] = [duration(low), duration(high)];
  if (low === 0) return `0 ${between} ${last}`;
  return `${unitOf(low).name === unitOf(high).name ? first.replace(/ .*/, '') : first} ${between} ${last}`;
}

/** Of a share: 0.0025 → "0.25 %", 0.18 → "18 %". */
function percent(share) {
  if (!Number.isFinite(share)) return '?';
  const value = share * 100;
  if (value > 0 && value < 0.005) return '< 0.01 %';
  return `${Number(value.toFixed(value < 0.995 ? 2 : value < 9.95 ? 1 : 0))} %`;
}

/** Three or four figures: "0.124", "197.9", "12,345". */
function rate(perSecond) {
  if (!Number.isFinite(perSecond) || perSecond < 0) return '?';
  if (perSecond < 9.9995) return perSecond.toFixed(3);
  if (perSecond < 99.995) return perSecond.toFixed(2);
  if (perSecond < 999.95) return perSecond.toFixed(1);
  return grouped(Math.round(perSecond));
}

/** "1.93×" */
function times(ratio) {
  return Number.isFinite(ratio) ? `${ratio.toFixed(ratio < 9.995 ? 2 : 1)}×` : '?';
}

/** A quantile of the document: {"value", "low", "high"} or {"needs"}. */
function known(quantile) {
  return Number.isFinite(quantile?.value);
}
function quantileText(quantile) {
  if (known(quantile)) return duration(quantile.value);
  return quantile?.needs ? t('needs ≥ {n} runs', { n: grouped(quantile.needs) }) : '–';
}
function quantileInterval(quantile) {
  return known(quantile) && Number.isFinite(quantile.low) && Number.isFinite(quantile.high) ? durationRange(quantile.low, quantile.high) : '';
}
