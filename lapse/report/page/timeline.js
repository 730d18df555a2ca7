'use strict';
// The figure of synchronous and asynchronous execution, as it was measured: a lane for each stage, a bar for each batch, both ways one
// under the other on one axis of time.

const batchesFirst = innerWidth < 560 ? 8 : 10; // what one sees at first

/** The lanes of a chart, one under the other. */
function laneAxis(lanes, write) {
  return { labels: lanes, afterFit: (scale) => { scale.width = 92; }, ticks: { autoSkip: false, callback: write, font: { size: 12, lineHeight: 1.15 } } };
}

/** What a stage did in lanes, one for each of its threads: batches that it works on at once must not hide each other. */
function threaded(spans, threads) {
  const lanes = Array.from({ length: threads }, () => []);
  const free = new Array(threads).fill(0); // when the lane is, again
  for (const span of spans.sort((one, other) => one[2] - other[2])) {
    const idle = free.findIndex((time) => time <= span[2]);
    const lane = idle < 0 ? free.indexOf(Math.min(...free)) : idle;
    lanes[lane].push(span);
    free[lane] = span[2] + span[3];
  }
  return lanes;
}

/** Spans of a way as datasets of Chart.js, one a lane. */
function bars(stages, { spans }) {
  const lanes = stages.flatMap((stage, index) =>
    threaded(spans.filter(([own]) => own === index), stage.threads).map((own) => ({ ...stage, own })));
  return lanes.map(({ name, where, own }, lane) => {
    const kind = where === 'device' ? 'device' : 'host';
    const shade = ([, batch]) => `${kind}-${batch % 2 ? 'b' : 'a'}`;
    return {
      label: stageName(name),
      data: own.map((span) => ({ x: [span[2], span[2] + span[3]], y: String(lane), batch: span[1], ink: colour(`${shade(span)}-ink`) })),
      backgroundColor: own.map((span) => colour(shade(span))),
      borderColor: colour(`${kind}-a`),
      borderWidth: 1,
      borderSkipped: false,
      barPercentage: 0.92,
      categoryPercentage: 0.9,
      grouped: false,
    };
  });
}

/** When the last of the first so many batches was done. */
function doneWith({ spans }, batches) {
  const ends = new Map();
  for (const [, batch, begin, took] of spans) ends.set(batch, Math.max(ends.get(batch) ?? 0, begin + took));
  return [...ends.values()].sort((one, other) => one - other).slice(0, batches).pop() ?? 0;
}

/** What of the time is seen: [from, to] in nanoseconds, the same in all charts. `changed` is told. */
class View {
  constructor(whole, opening, changed) {
    Object.assign(this, { whole, opening, changed, seen: opening });
  }

  see(from, to) {
    const width = Math.min(Math.max(to - from, this.opening[1] / 200), this.whole);
    const begin = Math.min(Math.max(0, from), this.whole - width);
    this.seen = [begin, begin + width];
    this.changed();
  }

  zoom(factor) {
    const [from, to] = this.seen, centre = (from + to) / 2;
    this.see(centre - (centre - from) * factor, centre + (to - centre) * factor);
  }

  pan(share) {
    const [from, to] = this.seen;
    this.see(from + share * (to - from), to + share * (to - from));
  }

  include(from, to) {
    const [begin, end] = this.seen;
    if (from < begin || to > end) this.see((from + to - end + begin) / 2, (from + to + end - begin) / 2);
  }

  is([from, to]) {
    return this.seen[0] === from && this.seen[1] === to;
  }
}

function timelines(parent, { stages, ways }, headings) {
  const both = Object.values(ways);
  const batches = Math.min(batchesFirst, ...both.map(({ spans }) => new Set(spans.map(([, batch]) => batch)).size));
  const whole = Math.max(...both.map((way) => doneWith(way, Infinity)));
  const opening = [0, Math.min(whole, 1.02 * Math.max(...both.map((way) => doneWith(way, batches))))];
  const charts = [];
  const view = new View(whole, opening, () => {
    for (const chart of charts) {
      Object.assign(chart.options.scales.x, axis());
      chart.update('none');
    }
    first.setAttribute('aria-pressed', String(view.is(opening)));
    all.setAttribute('aria-pressed', String(view.is([0, whole])));
  });
  const axis = () => durationAxis(t('time'), view.seen[1], { position: 'bottom', min: view.seen[0], max: view.seen[1] });

  const acts = {
    first: () => view.see(...opening), all: () => view.see(0, whole), '+': () => view.zoom(0.5), '=': () => view.zoom(0.5), '-': () => view.zoom(2),
    PageDown: () => view.pan(0.8), PageUp: () => view.pan(-0.8),
  };
  const act = (name) => {
    if (!Object.hasOwn(acts, name)) return false;
    acts[name]();
    announce(t('{range} of {whole}', { range: durationRange(...view.seen), whole: duration(whole) }));
    return true;
  };
  const first = button(tn('The first batch', 'The first {n} batches', batches), () => act('first'), { 'aria-pressed': 'true' });
  const all = button(t('All'), () => act('all'), { 'aria-pressed': String(view.is([0, whole])) });
  const small = (text, label, name) => button(text, () => act(name), { 'aria-label': label, title: label });
  parent.append(
    legend(['host', 'device'].filter((kind) => stages.some(({ where }) => where === kind))
      .map((kind) => ({ names: [`${kind}-a`, `${kind}-b`], text: kind === 'host' ? t('on the host') : t('on the device') }))),
    h('div', { class: 'controls', role: 'group', 'aria-label': t('What part is shown') }, first, all,
      small('−', t('Zoom out'), '-'), small('+', t('Zoom in'), '+'), small('◀', t('Earlier'), 'PageUp'), small('▶', t('Later'), 'PageDown')));

  const laneStages = stages.flatMap((stage) => new Array(stage.threads).fill(stage));
  const lanes = laneStages.map((unused, lane) => String(lane));
  for (const [name, way] of Object.entries(ways)) {
    const marked = [{ axis: 'x', value: doneWith(way, batches), label: tn('1 batch done', '{n} batches done', batches) }];
    const chart = draw(parent, {
      id: `timeline-${name}`, heading: headings[name], level: 3, key: act,
      label: `${t('Timeline')}, ${headings[name]}`,
      height: 34 * lanes.length + 72,
      show: ({ x }) => view.include(...x),
      say: ({ x, batch }, { label }) =>
        [`${label}, ${t('batch {n}', { n: batch })}`, durationRange(...x), t('took {time}', { time: duration(x[1] - x[0]) })],
      config: {
        type: 'bar',
        data: { labels: lanes, datasets: bars(stages, way) },
        options: {
          indexAxis: 'y',
          layout: { padding: marksRoom(marked) },
          scales: { x: axis(), y: laneAxis(lanes, (lane) => [stageName(laneStages[lane].name), place(laneStages[lane].where)]) },
        },
        plugins: [batchNumbers, marks(marked)],
      },
    });
    charts.push(chart);
    drag(chart.canvas, (share) => view.pan(share));
  }
  parent.append(data(t('Timeline'), [t('way'), t('stage'), t('batch'), t('from'), t('until'), t('took')],
    Object.entries(ways).flatMap(([name, { spans }]) => spans.map(([stage, batch, begin, took]) =>
      [t(name), stageName(stages[stage].name), String(batch), duration(begin), duration(begin + took), duration(took)]))));
}

/** A pointer that moves sideways moves what is seen, by a share of its width. */
function drag(canvas, move) {
  let last = null;
  canvas.addEventListener('pointerdown', (event) => { last = event.clientX; });
  canvas.addEventListener('pointermove', (event) => {
    if (last === null || !(event.buttons & 1)) return;
    move((last - event.clientX) / canvas.clientWidth);
    last = event.clientX;
  });
}
