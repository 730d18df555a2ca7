'use strict';
// Histograms and run sequences: how a series of times is spread, and how it went.

function quantileOf(sorted, p) { // NumPy's default
  const at = p * (sorted.length - 1), below = Math.floor(at);
  return sorted[below] + (at - below) * ((sorted[below + 1] ?? sorted[below]) - sorted[below]);
}

/**
 * Bins of one width for several series, from the least of all to the largest p99. The width is Freedman and Diaconis's, of the series
 * where it is the least, within 8 to 60 bins; whole nanoseconds where it is a few, as clocks tell no less.
 */
function binned(series) {
  const sorted = series.map((values) => Float64Array.from(values).sort());
  const low = Math.min(...sorted.map((values) => values[0]));
  const high = Math.max(...sorted.map((values) => quantileOf(values, values.length < 100 ? 1 : 0.99)));
  const widths = sorted.map((values) => (2 * (quantileOf(values, 0.75) - quantileOf(values, 0.25))) / Math.cbrt(values.length));
  let width = Math.max((high - low) / 60, Math.min((high - low) / 8, ...widths.filter((one) => one > 0)));
  if (width < 50) width = Math.max(1, Math.ceil(width));
  const number = Math.floor((high - low) / width) + 1;
  const counts = sorted.map((values) => {
    const bins = new Array(number).fill(0);
    for (const value of values) if (value <= high) ++bins[Math.floor((value - low) / width)];
    return bins;
  });
  return { low, high, width, counts, beyond: sorted.map((values) => values.filter((value) => value > high)) };
}

/**
 * The histogram of one or several series: [{ name, values, colour }]. Below 20 runs there is no shape to be seen.
 * `axis`: what the times are. `lines`: marks (drawing.js).
 */
function histogram(parent, { id, heading, level, axis, series, lines }) {
  if (Math.min(...series.map(({ values }) => values.length)) < 20) {
    parent.append(note(t('Fewer than 20 runs make no histogram.')));
    return;
  }
  const { low, high, width, counts, beyond } = binned(series.map(({ values }) => values));
  if (high === low) {
    const others = beyond.reduce((sum, values) => sum + values.length, 0), time = duration(low);
    const text = others ? t('All but {n} took {time}.', { n: grouped(others), time }) : t('All of them took {time}.', { time });
    parent.append(heading ? h(`h${level}`, {}, heading) : '', note(text));
    return;
  }
  const edges = counts[0].map((unused, bin) => [low + bin * width, low + (bin + 1) * width]);
  const datasets = series.map(({ name, values, colour: shade }, which) => ({
    label: name,
    data: edges.map(([from, to], bin) => ({ x: (from + to) / 2, y: counts[which][bin] / values.length, count: counts[which][bin], from, to })),
    backgroundColor: colour(shade, series.length > 1 ? 0.45 : 0.75),
    borderColor: colour(shade),
    borderWidth: 1,
    barPercentage: 1,
    categoryPercentage: 1,
    grouped: false,
  }));
  const several = series.length > 1;
  draw(parent, {
    id, heading, level,
    label: `${heading ?? axis}: ${t('from {low} to {high}', { low: duration(low), high: duration(high) })}`,
    say: ({ from, to, count, y }, { label }) => count
      ? [...(several ? [label] : []), durationRange(from, to), tn('1 run ({share})', '{n} runs ({share})', count, { share: percent(y) })] : null,
    config: {
      type: 'bar',
      data: { datasets },
      options: {
        layout: { padding: marksRoom(lines) },
        scales: {
          x: durationAxis(axis, high, { min: low, max: edges.at(-1)[1], offset: false, grid: { offset: false } }),
          y: { beginAtZero: true, title: { display: true, text: t('share of the runs') }, ticks: { callback: percent, maxTicksLimit: 6 } },
        },
      },
      plugins: [marks(lines)],
    },
  });
  const slow = beyond.flatMap((values) => [...values]);
  const rows = edges.map(([from, to], bin) => [durationRange(from, to), ...counts.map((bins) => grouped(bins[bin]))]);
  if (slow.length) {
    const worst = duration(Math.max(...slow));
    parent.append(note(tn('Not drawn: 1 run beyond p99, {worst}.', 'Not drawn: {n} runs beyond p99, the slowest {worst}.', slow.length, { worst })));
    rows.push([`> ${duration(high)}`, ...beyond.map((values) => grouped(values.length))]);
  }
  parent.append(data(heading ?? axis, [axis, ...series.map(({ name }) => `${name}, ${t('runs')}`)], rows));
}

/**
 * How it went: series are [{ name, colour, shape, points: [{ x, y, warm }] }], of which those with warm belong to the warm-up.
 * `steady`: where the warm-up ends; null where nothing of it is there.
 */
function sequence(parent, { id, axis, steady, series }) {
  const shown = series.map((one) => ({ ...one, drawn: thinned(one.points) }));
  const all = shown.flatMap(({ drawn }) => drawn);
  const ends = (key) => all.reduce(([least, most], point) => [Math.min(least, point[key]), Math.max(most, point[key])], [Infinity, -Infinity]);
  const [first, last] = ends('x'), [low, high] = ends('y');
  const several = series.length > 1;
  const marked = steady === null ? [] : [{ axis: 'x', from: first - 0.5, to: steady }, { axis: 'x', value: steady, label: t('warm-up ends') }];
  const runNumber = (x) => (Number.isInteger(x) ? grouped(x).replace('-', '−') : null);
  draw(parent, {
    id, label: `${t('latency')}: ${t('from {low} to {high}', { low: duration(low), high: duration(high) })}`,
    say: ({ x, y, warm }, { label }) => [...(several ? [label] : []), `${axis} ${runNumber(x)}${warm ? ` (${t('warm-up')})` : ''}`, duration(y)],
    config: {
      type: 'scatter',
      data: {
        datasets: shown.map(({ name, colour: shade, shape, drawn }) => ({
          label: name,
          data: drawn,
          borderColor: colour(shade),
          backgroundColor: drawn.map(({ warm }) => (warm ? colour('surface') : colour(shade, 0.6))),
          borderWidth: 1,
          pointStyle: shape,
          pointRadius: all.length > 1000 ? 2 : 3.5,
          pointHoverRadius: 6,
        })),
      },
      options: {
        interaction: { mode: 'nearest', intersect: false },
        layout: { padding: marksRoom(marked) },
        scales: {
          x: {
            type: 'linear', min: first - 0.5, max: last + 0.5, title: { display: true, text: axis },
            ticks: { callback: runNumber, includeBounds: false, maxRotation: 0, autoSkipPadding: 16 },
          },
          y: fitting(durationAxis(t('latency'), high, { grace: '5%' }), low, high),
        },
      },
      plugins: [marks(marked)],
    },
  });
  const total = series.reduce((sum, { points }) => sum + points.length, 0);
  if (all.length < total) {
    parent.append(note(t('Of {n} runs, the fastest and the slowest of each stretch are drawn: {shown} in all.',
      { n: grouped(total), shown: grouped(all.length) })));
  }
  parent.append(data(t('latency'), [axis, ...(several ? [t('way')] : []), t('latency'), ''], shown.flatMap(({ name, drawn }) =>
    drawn.map(({ x, y, warm }) => [runNumber(x), ...(several ? [name] : []), duration(y), warm ? t('warm-up') : '']))));
}
