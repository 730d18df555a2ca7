'use strict';
// The same batches one after the other and overlapped: lapse.pipeline/1.

function stageName(name) {
  return { preprocess: t('preprocess'), h2d: 'H2D', forward: t('forward'), d2h: 'D2H', postprocess: t('postprocess') }[name] ?? name;
}

function place(where) {
  return where === 'device' ? t('device') : t('host');
}

function intervalText({ low, high }, write) {
  if (!Number.isFinite(low) || !Number.isFinite(high)) return t('too few rounds for an interval');
  return t('95 % interval {range}', { range: `${write(low)} … ${write(high)}` });
}

function pipelinePage(main, pipeline) {
  const { subject, failure, ways } = pipeline;
  const title = [subject.model, [subject.engine, subject.engine_version].filter(Boolean).join(' '), subject.device].join(' · ');
  document.title = `${title} · lapse`;
  main.append(h('h1', {}, title), h('p', { class: 'lead' }, subjectText(subject)));
  if (failure) main.append(h('p', { class: 'alert' }, t('It ended early: {reason}', { reason: failure.message })));
  main.append(gains(pipeline));

  const figure = card(t('Synchronous and asynchronous, as measured'),
    note(t('Both on one axis of time. A number is that of a batch. Arrow keys go from bar to bar, + and − zoom, Page up and Page down move.')));
  main.append(figure);
  timelines(figure, pipeline, Object.fromEntries(Object.entries(ways).map(([name, way]) => [name, wayText(name, way)])));

  use(main, pipeline);
  latencies(main, pipeline);
  rounds(main, pipeline);
  if (pipeline.skipped.count > 0) {
    main.append(card(tn('1 file was skipped', '{n} files were skipped', pipeline.skipped.count),
      texts(pipeline.skipped.files.map(({ file, reason }) => [file, reason]))));
  }
  main.append(machine(pipeline.environment), imprint(pipeline));
}

function subjectText({ batch, threads, items, source, depth, workers, in_flight: inFlight }) {
  return [
    t('batch {n}', { n: batch }),
    threads > 0 ? tn('1 thread', '{n} threads', threads) : null,
    source === 'images' ? tn('1 picture a round', '{n} pictures a round', items) : tn('1 made-up item a round', '{n} made-up items a round', items),
    tn('1 thread prepares', '{n} threads prepare', workers),
    t('queues of {n}', { n: depth }),
    inFlight > 1 ? t('{n} in flight', { n: inFlight }) : null,
  ].filter(Boolean).join(' · ');
}

function wayText(name, { throughput_per_s: throughput }) {
  const what = name === 'synchronous'
    ? t('Synchronous: each batch waits for the last') : t('Asynchronous: the next batch is prepared while the device works');
  return `${what} · ${t('{rate} items/s', { rate: rate(throughput) })}`;
}

/** What overlap gains, how far it is from the bound, and what it costs. */
function gains({ speedup, bound, answer, ways: { synchronous, asynchronous } }) {
  const slowest = { rate: rate(bound.throughput_per_s), stage: stageName(bound.stage) };
  return facts([
    { label: t('Speed-up'), value: times(speedup.value), sub: intervalText(speedup, times) },
    {
      label: t('Throughput'), value: `${rate(synchronous.throughput_per_s)} → ${rate(asynchronous.throughput_per_s)}`,
      sub: t('items/s, synchronous → asynchronous'),
    },
    {
      label: t('Efficiency'), value: percent(bound.efficiency.value),
      sub: [intervalText(bound.efficiency, percent), t('of the bound {rate} items/s: {stage} is the slowest stage', slowest)],
    },
    cost(synchronous.latency.median_ns, asynchronous.latency.median_ns),
    { label: t('Answers of both ways'), ...agreement(answer) },
  ]);
}

function cost(before, after) {
  const ratio = known(before) && known(after) ? after.value / before.value : NaN;
  const grew = ratio > 1.005;
  const values = { ratio: times(ratio) };
  return {
    label: t('Latency of a batch, median'), value: Number.isFinite(ratio) ? durationRange(before.value, after.value, '→') : `${quantileText(before)} → ${quantileText(after)}`, kind: grew ? 'bad' : null,
    sub: grew ? t('{ratio} as long: overlap raises throughput, and a batch waits in queues', values)
      : Number.isFinite(ratio) ? t('{ratio} as long', values) : null,
  };
}

function agreement({ verdict, items, different, random }) {
  const all = grouped(items);
  if (verdict === 'equal') return { value: t('Equal'), kind: 'good', sub: tn('1 item, compared one by one', '{n} items, compared one by one', items) };
  if (verdict === 'different') return { value: t('Different'), kind: 'bad', sub: t('{n} of {all} items', { n: grouped(different), all }) };
  return { value: t('Random'), sub: t('{n} of {all} items differ from run to run, so they can’t be compared', { n: grouped(random), all }) };
}

/** How busy each stage was. */
function use(main, { stages, ways }) {
  const heading = t('How busy each stage was');
  const box = card(heading, note(t('The bound is reached where one stage is busy all of the time.')), wayLegend(ways));
  main.append(box);
  const lanes = stages.map((unused, stage) => String(stage));
  const datasets = Object.entries(ways).map(([name, { utilisation, busy_ns: busy }]) => ({
    label: t(name),
    data: lanes.map((lane, stage) => ({ x: utilisation[stage], y: lane, stage, busy: busy[stage] })),
    backgroundColor: colour(name),
    barPercentage: 0.9,
  }));
  draw(box, {
    id: 'utilisation', label: heading, height: 56 * stages.length + 56, where: (unused, index) => index,
    say: ({ x, stage, busy }, { label }) => [`${stageName(stages[stage].name)}, ${label}`, percent(x), t('{time} a batch', { time: duration(busy) })],
    config: {
      type: 'bar',
      data: { labels: lanes, datasets },
      options: {
        indexAxis: 'y',
        scales: {
          x: { min: 0, suggestedMax: 1, title: { display: true, text: t('share of the time') }, ticks: { callback: percent, maxTicksLimit: 6, maxRotation: 0 } },
          y: laneAxis(lanes, (stage) => stageName(stages[stage].name)),
        },
      },
    },
  });
  box.append(data(heading, [t('stage'), t('where'), ...Object.keys(ways).flatMap((name) => [t(name), t('busy a batch')])],
    stages.map(({ name, where }, stage) => [
      stageName(name), place(where),
      ...Object.values(ways).flatMap(({ utilisation, busy_ns: busy }) => [percent(utilisation[stage]), duration(busy[stage])]),
    ])));
}

function wayLegend(ways) {
  return legend(Object.keys(ways).map((name) => ({ names: [name], text: t(name) })));
}

/** What a batch waits: quantiles, spread and order, of both ways. */
function latencies(main, { ways }) {
  const heading = t('Latency of a batch');
  const all = Object.entries(ways);
  const quantiles = [['median_ns', t('median')], ['p90_ns', 'p90'], ['p95_ns', 'p95'], ['p99_ns', 'p99'], ['p999_ns', 'p99.9']];
  const others = [['mean_ns', t('mean')], ['min_ns', t('least')], ['max_ns', t('most')]];
  main.append(card(heading, note(t('From the beginning of its preparation to its last output; the warm-up is left out.')), table({
    label: heading, whole: true,
    head: ['', ...all.flatMap(([name]) => [t(name), t('95 % interval')])],
    rows: [
      ...quantiles.map(([key, label]) => [label, ...all.flatMap(([, { latency }]) => [quantileText(latency[key]), quantileInterval(latency[key])])]),
      ...others.map(([key, label]) => [label, ...all.flatMap(([, { latency }]) => [duration(latency[key] ?? NaN), ''])]),
    ],
  })));

  const spread = card(t('How the latencies are spread'), wayLegend(ways));
  main.append(spread);
  histogram(spread, {
    id: 'histogram', axis: t('latency of a batch'),
    series: all.map(([name, { latency_ns: values, warmup }]) => ({ name: t(name), values: values.slice(warmup), colour: name })),
    lines: all.filter(([, { latency }]) => known(latency.median_ns))
      .map(([name, { latency }]) => ({ axis: 'x', value: latency.median_ns.value, label: t('median'), colour: name })),
  });

  const course = card(t('How it went, batch by batch'), wayLegend(ways));
  main.append(course);
  const warm = Math.max(...all.map(([, { warmup }]) => warmup));
  sequence(course, {
    id: 'sequence', axis: t('batch'), steady: warm > 0 ? warm + 0.5 : null,
    series: all.map(([name, { latency_ns: values, warmup }], index) => ({
      name: t(name), colour: name, shape: ['circle', 'rectRot'][index],
      points: values.map((y, batch) => ({ x: batch + 1, y, warm: batch < warmup })),
    })),
  });
}

function rounds(main, { ways }) {
  const rows = Object.entries(ways).flatMap(([name, way]) => way.rounds.map(({ items, batches, duration_ns: took }, round) =>
    [t(name), String(round + 1), grouped(items), grouped(batches), duration(took), rate((items * 1e9) / took)]));
  main.append(card(t('Rounds'), note(t('The two ways took turns.')), table({
    label: t('Rounds'), whole: true, head: [t('way'), t('round'), t('items'), t('batches'), t('took'), t('items/s')], rows,
  })));
}
