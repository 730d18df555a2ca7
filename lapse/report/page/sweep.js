'use strict';
// Many points, each a configuration of one model with its latency and its throughput: lapse.sweep/1.

const quantiles = ['p50', 'p90', 'p95', 'p99', 'p99.9'];
const shapes = ['circle', 'rect', 'triangle', 'rectRot', 'star', 'crossRot'];
let quantileSeen = null; // what the curve shows

function quantileLabel(name) {
  return name === 'p50' ? t('median') : name;
}

/** A quantile of a point's latency: "p99.9" is p999_ns. Of a point that was not measured, nothing. */
function latencyOf({ latency }, name) {
  return latency?.[name === 'p50' ? 'median_ns' : `${name.replace('.', '')}_ns`];
}

function perSecond({ throughput }) {
  return t('{rate} items/s', { rate: rate(throughput.value) });
}

function rateInterval({ throughput: { low, high } }) {
  return Number.isFinite(low) && Number.isFinite(high) ? `${rate(low)} … ${rate(high)}` : '';
}

/** What tells one line from another: of engine, device, threads and in flight those that are not the same everywhere. */
function lineName(points) {
  const parts = [
    ['engine', ({ engine }) => engine],
    ['device', ({ device }) => device],
    ['threads', ({ threads }) => tn('1 thread', '{n} threads', threads)],
    ['inflight', ({ inflight }) => t('{n} in flight', { n: grouped(inflight) })],
  ];
  const varying = parts.filter(([key]) => new Set(points.map((point) => point[key])).size > 1);
  const telling = varying.length ? varying : parts.slice(0, 2);
  return (point) => telling.map(([, text]) => text(point)).join(' · ');
}

function pointText(points, index) {
  return `${t('batch {n}', { n: points[index].batch })}, ${lineName(points)(points[index])}`;
}

function sweepPage(main, sweep) {
  const { model, planned, points, slo, environment } = sweep;
  const title = t('{model}: latency and throughput', { model });
  document.title = `${title} · lapse`;
  main.append(h('h1', {}, title));
  if (planned > points.length) {
    main.append(h('p', { class: 'alert' }, t('Interrupted: {n} of {all} points are measured.', { n: grouped(points.length), all: grouped(planned) })));
  }
  main.append(findings(sweep));

  const there = quantiles.filter((name) => points.some((point) => known(latencyOf(point, name))));
  quantileSeen ??= there.includes(slo?.quantile) ? slo.quantile : 'p50';
  const box = card(t('Latency against throughput'), note(t(
    'Right and down is better. A line is one configuration over its batch sizes; the bold line is the Pareto front: nothing else is better in both.')));
  box.append(choice(t('Latency shown'), there.map((name) => [name, quantileLabel(name)]), quantileSeen, (name) => {
    quantileSeen = name;
    render();
    document.querySelector(`[data-choice="${name}"]`).focus();
  }));
  main.append(box);
  curve(box, sweep);
  main.append(card(t('All points'), pointTable(sweep)), machine(environment), imprint(sweep));
}

function findings({ points, knee, slo }) {
  const failed = points.filter(({ state }) => state !== 'measured').length;
  const list = [{
    label: t('Points'), value: grouped(points.length - failed),
    sub: failed ? tn('1 could not be measured', '{n} could not be measured', failed) : t('all measured'),
  }];
  if (points[knee]) {
    list.push({
      label: t('Knee: where more throughput begins to cost more latency'), value: pointText(points, knee), kind: 'long',
      sub: `${t('median')} ${quantileText(latencyOf(points[knee], 'p50'))}, ${perSecond(points[knee])}`,
    });
  }
  if (slo) {
    const best = points[slo.best], undecided = slo.undecided.filter((index) => !points[index].times_wrong).length, label = quantileLabel(slo.quantile);
    list.push({
      label: t('Largest batch with {limit}', { limit: `${label} ≤ ${duration(slo.limit_ns)}` }),
      value: best ? pointText(points, slo.best) : t('none'), kind: best ? 'long good' : 'long bad',
      sub: [
        best ? `${label} ${quantileText(latencyOf(best, slo.quantile))}, ${perSecond(best)}` : null,
        undecided ? tn('1 point is undecided', '{n} points are undecided', undecided) : null,
      ],
    });
  }
  return facts(list);
}

/** Points as datasets of Chart.js, one a line of the curve and one for the Pareto front. */
function lines(points, usable) {
  const drawn = (index) => {
    const { value: x, low: left, high: right } = points[index].throughput, { value: y, low, high } = latencyOf(points[index], quantileSeen);
    return { x, left, right, y, low, high, index };
  };
  const named = Map.groupBy(usable, (index) => lineName(points)(points[index]));
  const datasets = [...named].map(([label, members], line) => {
    const own = members.sort((one, other) => points[one].batch - points[other].batch);
    const shade = `c${line % 6}`;
    return {
      label,
      shade,
      data: own.map(drawn),
      showLine: true,
      borderColor: colour(shade),
      borderWidth: 1.5,
      backgroundColor: own.map((index) => colour(points[index].pareto ? shade : 'surface')),
      pointStyle: shapes[line % 6],
      pointRadius: own.map((index) => (points[index].pareto ? 7 : 4)),
      pointHoverRadius: 9,
      pointBorderWidth: 2,
    };
  });
  const front = usable.filter((index) => points[index].pareto).map(drawn).sort((one, other) => one.x - other.x);
  return [...datasets, {
    label: t('Pareto front'),
    shade: 'front',
    silent: true,
    data: front.map(({ x, y }) => ({ x, y })),
    showLine: true,
    borderColor: colour('front'),
    borderWidth: 6,
    pointRadius: 0,
    pointHoverRadius: 0,
    order: 1, // behind the others
  }];
}

function curve(box, { points, knee, slo }) {
  const usable = points.map((point, index) => index)
    .filter((index) => !points[index].times_wrong && known(latencyOf(points[index], quantileSeen)));
  if (usable.length === 0) {
    box.append(note(t('There is nothing to draw.')));
    return;
  }
  const datasets = lines(points, usable);
  const label = `${quantileLabel(quantileSeen)} ${t('latency')}`;
  const xs = usable.map((index) => points[index].throughput.value), ys = usable.map((index) => latencyOf(points[index], quantileSeen).value);
  const limit = slo?.quantile === quantileSeen ? slo.limit_ns : NaN;
  const top = limit < 3 * Math.max(...ys) ? Math.max(limit, ...ys) : Math.max(...ys); // a limit far off is told, not drawn
  const throughputAxis = {
    type: 'linear', grace: '5%', title: { display: true, text: t('throughput (items/s)') }, ticks: { callback: (value) => grouped(Number(value.toPrecision(6))), maxRotation: 0, autoSkipPadding: 16 },
  };
  box.append(legend(datasets.map(({ label: text, shade }) => ({ names: [shade], text }))));
  draw(box, {
    id: 'curve', label: t('Latency against throughput'), height: 440,
    say: ({ index }, { silent }) => (silent ? null : [
      pointText(points, index), `${quantileLabel(quantileSeen)} ${quantileText(latencyOf(points[index], quantileSeen))}`, perSecond(points[index]),
      ...(points[index].pareto ? [t('Pareto front')] : []), ...(index === knee ? [t('knee')] : []),
    ]),
    config: {
      type: 'scatter',
      data: { datasets },
      options: {
        interaction: { mode: 'nearest', intersect: false },
        layout: { padding: { right: 12 } },
        scales: {
          x: fitting(throughputAxis, Math.min(...xs), Math.max(...xs)),
          y: fitting(durationAxis(label, top, { beginAtZero: true, suggestedMax: top, grace: '5%' }), Math.min(...ys), top),
        },
      },
      plugins: [whiskers, ring(datasets, knee), marks([{ axis: 'y', value: limit, label: `≤ ${duration(limit)}`, colour: 'bad' }])],
    },
  });
  box.append(data(t('Latency against throughput'),
    [t('configuration'), t('throughput (items/s)'), t('95 % interval'), label, t('95 % interval'), t('remark')],
    usable.map((index) => {
      const point = points[index], quantile = latencyOf(point, quantileSeen);
      return [pointText(points, index), rate(point.throughput.value), rateInterval(point), quantileText(quantile), quantileInterval(quantile),
        point.pareto ? t('Pareto front') : ''];
    })));
}

/** A circle round the knee, with its name. A plug-in of Chart.js. */
function ring(datasets, knee) {
  return {
    id: 'ring',
    afterDatasetsDraw({ ctx, chartArea: area, scales: { x, y } }) {
      const point = datasets.flatMap(({ data: points }) => points).find(({ index }) => index === knee);
      if (!point) return;
      const [across, down] = [x.getPixelForValue(point.x), y.getPixelForValue(point.y)];
      ctx.save();
      ctx.strokeStyle = ctx.fillStyle = colour('ink');
      ctx.lineWidth = 2;
      ctx.beginPath();
      ctx.arc(across, down, 13, 0, 2 * Math.PI);
      ctx.stroke();
      ctx.font = `600 13px ${Chart.defaults.font.family}`;
      const room = across + 12 + ctx.measureText(t('knee')).width < area.right; // the curve comes from below left and goes up
      ctx.textAlign = room ? 'left' : 'right';
      ctx.textBaseline = 'top';
      ctx.fillText(t('knee'), room ? across + 12 : across - 12, down + (room ? 10 : -26));
      ctx.restore();
    },
  };
}

function pointTable({ points, knee, slo }) {
  const states = { failed: t('failed'), 'out-of-memory': t('out of memory') };
  const unknown = '–';
  const numbers = (point) => [
    quantileText(latencyOf(point, 'p50')), quantileInterval(latencyOf(point, 'p50')), quantileText(latencyOf(point, 'p90')),
    quantileText(latencyOf(point, 'p99')), rate(point.throughput.value), rateInterval(point),
  ];
  const remarks = (point, index) => [
    point.times_wrong && t('times wrong'), point.pareto && t('Pareto front'), index === knee && t('knee'),
    index === slo?.best && t('largest within'), slo?.undecided.includes(index) && !point.times_wrong && t('undecided'),
  ];
  return table({
    label: t('All points'), whole: true, classes: (index) => (points[index].pareto ? 'picked' : null),
    head: [t('batch'), t('engine'), t('device'), t('threads'), t('in flight'), t('remark'), t('median'), t('95 % interval'), 'p90', 'p99', t('items/s'),
      t('95 % interval')],
    wordy: 5,
    rows: points.map((point, index) => {
      const measured = point.state === 'measured';
      return [
        point.batch ? grouped(point.batch) : unknown, point.engine, point.device, point.threads ? grouped(point.threads) : unknown, grouped(point.inflight),
        (measured ? remarks(point, index) : [states[point.state], point.reason]).filter(Boolean).join(' · '),
        ...(measured ? numbers(point) : new Array(6).fill('')),
      ];
    }),
  });
}
