'use strict';
// A measurement of one model: lapse.result/1. Its words are those of every other form of the report (lapse/report/outline.hpp).

function resultPage(main, result, outlines) {
  const words = outlines[language];
  document.title = `${words.title} · lapse`;
  main.append(h('h1', {}, words.title), ...words.alerts.map((text) => h('p', { class: 'alert' }, text)), headline(result, words));
  spreads(main, result);
  course(main, result);

  pauses(main, result, words);

  const { rows, heading, interval, submit_alone: submitAlone } = words.latency;
  main.append(card(heading, table({
    label: heading, whole: true, classes: (row) => (rows[row].nested ? 'nested' : null),
    head: ['', t('value'), interval, ''], rows: rows.map((row) => [row.label, row.value, row.interval, row.error]),
  }), submitAlone ? note(submitAlone) : null));
  if (words.warnings.length) {
    main.append(card(t('Warnings'), h('ul', { class: 'warnings' },
      words.warnings.map(({ message, hint }) => h('li', {}, message, hint ? note(`→ ${hint}`) : null)))));
  }
  const about = [...words.setup, ...words.after].map(({ label, value }) => [label, value]);
  main.append(card(t('About this measurement'), texts(about)), imprint(result));
}

function headline({ subject }, { latency, throughput, before }) {
  const { rows, interval } = latency;
  const first = subject.asynchronous ? rows.findLast(({ nested }) => !nested) : rows[0];
  return facts([
    { label: first.label, value: first.value, sub: first.interval && `${interval}: ${first.interval}${first.error && ` (${first.error})`}` },
    ...[throughput, ...before].map(({ label, value }) => ({ label, value, kind: 'long' })),
  ]);
}

/** Histograms: of end-to-end, and where the device works for itself of its time and of the call's, too. */
function spreads(main, { subject, samples, summary }) {
  const marked = (quantiles) => [['median_ns', t('median')], ['p90_ns', 'p90'], ['p99_ns', 'p99']]
    .filter(([key]) => known(quantiles[key])).map(([key, label]) => ({ axis: 'x', value: quantiles[key].value, label }));
  const one = (parent, id, key, name, shade, more) => histogram(parent, {
    id, axis: name, series: [{ name, values: samples[`${key}_ns`], colour: shade }], lines: marked(summary[key]), ...more,
  });
  const box = card(t('How the times are spread'));
  main.append(box);
  one(box, 'histogram', 'end_to_end', t('end-to-end'), 'asynchronous');
  if (!subject.asynchronous) return;
  const halves = [h('div'), h('div')];
  box.append(h('div', { class: 'pair' }, halves));
  one(halves[0], 'histogram-device', 'device', t('device'), 'synchronous', { heading: t('device'), level: 3 });
  one(halves[1], 'histogram-submit', 'submit', t('submit'), 'synchronous', { heading: t('submit'), level: 3 });
}

/** The runs in their order: those of the warm-up, as far as the file has them, at 0 and below. */
function course(main, { samples, warmup: { discarded, samples: kept } }) {
  const warm = (kept?.end_to_end_ns ?? []).map((y, index) => ({ x: index - discarded + 1, y, warm: true }));
  const box = card(t('How it went'));
  main.append(box);
  sequence(box, {
    id: 'sequence', axis: t('run'), steady: warm.length ? 0.5 : null,
    series: [{
      name: t('end-to-end'), colour: 'asynchronous', shape: 'circle',
      points: [...warm, ...samples.end_to_end_ns.map((y, index) => ({ x: index + 1, y }))],
    }],
  });
  const told = { n: grouped(warm.length), all: grouped(discarded) };
  box.append(note(warm.length
    ? t('Of the {all} runs of the warm-up, {n} are in this figure; they are in no other.', told)
    : tn('1 run of the warm-up came before and is not in the file.', '{n} runs of the warm-up came before and are not in the file.', discarded)));
}
