'use strict';
// A chart that everybody can read: its heading and what it shows in words, the drawing, which arrow keys go through, and its data as a
// table.

/**
 * Draws a chart into `parent`, which is on the page already. Returns the chart.
 *   id         of its canvas
 *   heading    one line, and `level` of the heading (2)
 *   label      what the chart is, for who can't see it; the heading, unless it says otherwise
 *   config     of Chart.js
 *   height     in pixels (as style.css says)
 *   say        (point, dataset) → lines that tell a point, or null for a point to pass over
 *   where      (point, index) → where a point stands, for going to the nearest one of another dataset; its x
 *   key        (name of a key) → true when the figure has dealt with the key itself
 *   show       (point): brings it into view before it is told
 */
function draw(parent, { id, heading, level = 2, label = heading, config, height, say, where = middle, key = () => false, show = () => {} }) {
  const canvas = h('canvas', {
    id, tabindex: 0, role: 'application', 'aria-roledescription': t('chart'), 'aria-label': `${label}. ${t('Arrow keys go from point to point.')}`,
  });
  const frame = h('div', { class: 'chart' }, canvas);
  if (height) frame.style.height = `${height}px`;
  parent.append(h('div', { class: 'drawing' }, heading ? h(`h${level}`, {}, heading) : null, frame));

  const tooltip = {
    filter: ({ raw, dataset }) => say(raw, dataset) !== null,
    callbacks: { title: () => '', label: ({ raw, dataset }) => say(raw, dataset) },
    ...config.options.plugins?.tooltip,
  };
  config.options.plugins = { ...config.options.plugins, tooltip };
  const chart = new Chart(canvas, config);
  walk(chart, say, where, key, show);
  return chart;
}

function middle({ x }) {
  return Array.isArray(x) ? (x[0] + x[1]) / 2 : x;
}

/** The data of a chart as a table, closed until somebody wants it. */
function data(label, head, rows) {
  return h('details', {}, h('summary', {}, t('Data as a table')), table({ label, head, rows }));
}

function legend(entries) {
  return h('ul', { class: 'legend' }, entries.map(({ names, text }) => h('li', {}, names.map(swatch), text)));

  function swatch(name) {
    const box = h('i');
    box.style.background = colour(name);
    return box;
  }
}

/** Left and right go to the next point, up and down to another dataset, Home and End to the ends. What is there is shown and said. */
function walk(chart, say, where, key, show) {
  let at = null; // { dataset, index }

  const points = (dataset) => chart.data.datasets[dataset].data;
  const walkable = (dataset, index) => say(points(dataset)[index], chart.data.datasets[dataset]) !== null;

  function go(dataset, index) {
    at = { dataset, index };
    show(points(dataset)[index]);
    const active = [{ datasetIndex: dataset, index }];
    const element = chart.getDatasetMeta(dataset).data[index];
    chart.setActiveElements(active);
    chart.tooltip.setActiveElements(active, element.getCenterPoint(true));
    chart.render();
    announce(say(points(dataset)[index], chart.data.datasets[dataset]).join(', '));
  }

  function along(step) {
    for (let index = at.index + step; points(at.dataset)[index] !== undefined; index += step) {
      if (walkable(at.dataset, index)) return go(at.dataset, index);
    }
  }

  function across(step) {
    const here = where(points(at.dataset)[at.index], at.index);
    for (let dataset = at.dataset + step; chart.data.datasets[dataset]; dataset += step) {
      const others = points(dataset).map((point, index) => ({ index, far: Math.abs(where(point, index) - here) }))
        .filter(({ index }) => walkable(dataset, index));
      if (others.length) return go(dataset, others.reduce((best, other) => (other.far < best.far ? other : best)).index);
    }
  }

  function end(step) {
    at = { dataset: at.dataset, index: step > 0 ? -1 : points(at.dataset).length };
    along(step);
  }

  function first() {
    const dataset = chart.data.datasets.findIndex((one, index) => one.data.some((point, place) => walkable(index, place)));
    if (dataset < 0) return;
    at = { dataset, index: -1 };
    along(1);
  }

  const moves = {
    ArrowRight: () => along(1), ArrowLeft: () => along(-1), ArrowDown: () => across(1), ArrowUp: () => across(-1),
    Home: () => end(1), End: () => end(-1),
  };

  chart.canvas.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    if (!key(event.key)) {
      if (!(event.key in moves)) return;
      const fresh = at === null;
      if (fresh) first();
      if (at !== null && (!fresh || event.key === 'End')) moves[event.key]();
    }
    event.preventDefault();
  });
  chart.canvas.addEventListener('blur', () => {
    chart.setActiveElements([]);
    chart.tooltip.setActiveElements([], { x: 0, y: 0 });
    chart.render();
  });
}
