'use strict';
// Parts of the page that are no charts.

/** h('p', { class: 'note' }, 'text', element, …); what is null or undefined is left out. Text is text, never HTML. */
function h(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === true) element.setAttribute(key, '');
    else if (value != null && value !== false) element.setAttribute(key, value);
  }
  element.append(...children.flat().filter((child) => child != null));
  return element;
}

function button(text, press, attributes = {}) {
  const element = h('button', { type: 'button', ...attributes }, text);
  element.addEventListener('click', press);
  return element;
}

/** Buttons of which one is chosen: choices are [value, text]. */
function choice(label, choices, chosen, choose) {
  return h('div', { class: 'controls', role: 'group', 'aria-label': label },
    choices.map(([value, text]) => button(text, () => choose(value), { 'aria-pressed': String(value === chosen), 'data-choice': value })));
}

/** What is to be read first: [{ label, value, sub, kind }]. */
function facts(list) {
  return h('dl', { class: 'facts' }, list.map(({ label, value, sub, kind }) =>
    h('div', {}, h('dt', {}, label), h('dd', { class: kind }, value), [sub].flat().filter(Boolean).map((line) => h('dd', { class: 'sub' }, line)))));
}

/** A table; the first cell of a row is its heading. `classes`: of the rows, by their index. `wordy`: the column of texts, if there is one. */
function table({ label, head, rows, whole = false, wordy = -1, classes = () => null }) {
  const kind = (column) => (column === wordy ? { class: 'wordy' } : {});
  const cells = ([first, ...others]) => [h('th', { scope: 'row' }, first), ...others.map((cell, index) => h('td', kind(index + 1), cell))];
  return h('div', { class: whole ? 'scroll whole' : 'scroll', role: 'region', 'aria-label': label, tabindex: 0 }, h('table', {},
    h('thead', {}, h('tr', {}, head.map((cell, column) => (cell ? h('th', { scope: 'col', ...kind(column) }, cell) : h('td'))))),
    h('tbody', {}, rows.map((row, index) => h('tr', { class: classes(index) }, cells(row))))));
}

/** Labels with texts: [[label, text], …]; an empty label belongs to the row above. */
function texts(rows) {
  return h('table', { class: 'texts' }, h('tbody', {}, rows.map(([label, text]) =>
    h('tr', {}, label ? h('th', { scope: 'row' }, label) : h('td', {}), h('td', {}, text)))));
}

function note(text) {
  return h('p', { class: 'note' }, text);
}

function card(heading, ...children) {
  return h('section', { class: 'card' }, h('h2', {}, heading), children);
}

/** Said aloud to who can't see the chart. */
function announce(text) {
  document.getElementById('said').textContent = text;
}

/** The machine, as the documents of pipeline and sweep tell it. */
function machine(environment = {}) {
  const rows = [
    [t('processor'), environment.cpu],
    [t('processors'), environment.cpus_online && t('{n} of {all}', { n: environment.cpus_allowed, all: environment.cpus_online })],
    [t('governor'), environment.governor],
    [t('virtual machine'), environment.hypervisor],
    [t('system'), [environment.os, environment.kernel].filter(Boolean).join(' · ')],
    [t('used by others'), Number.isFinite(environment.others) && percent(environment.others)],
    [t('taken by the hypervisor'), Number.isFinite(environment.steal) && percent(environment.steal)],
    [t('compiler'), [environment.compiler, environment.build_type].filter(Boolean).join(' · ')],
  ];
  return card(t('Machine'), texts(rows.filter(([, value]) => value)));
}

/** When, and by which command. */
function imprint(made) {
  return h('footer', {},
    h('p', {}, ['lapse', made.lapse ?? made.environment?.lapse_version, made.created].filter(Boolean).join(' · ')),
    made.argv?.length ? h('p', {}, h('code', {}, made.argv.join(' '))) : null);
}
