'use strict';
// Latency against the pause before each inference. Words and numbers are those of every other form (lapse/report/idle.hpp).

function pauses(main, { idle }, { idle: { heading, head, rows } }) {
  if (!idle?.length) return;
  const gaps = rows.map(([gap]) => gap);
  const line = (label, key, shade, shape) => ({
    label,
    shade,
    data: idle.map(({ summary }, index) => ({ ...summary.end_to_end[key], index }))
      .filter(known).map(({ value: y, low, high, index }) => ({ x: gaps[index], y, low, high, index })),
    borderColor: colour(shade),
    backgroundColor: colour(shade),
    borderWidth: 1.5,
    pointStyle: shape,
    pointRadius: 5,
    pointHoverRadius: 7,
  });
  const datasets = [line(t('median'), 'median_ns', 'asynchronous', 'circle'), line('p90', 'p90_ns', 'synchronous', 'triangle')]
    .filter((one) => one.data.length);
  const all = datasets.flatMap((one) => one.data), most = Math.max(...all.map(({ high }) => high));
  const box = card(heading);
  main.append(box);
  if (all.length) {
    box.append(legend(datasets.map(({ label, shade }) => ({ names: [shade], text: label }))));
    draw(box, {
      id: 'idle', label: heading, where: ({ index }) => index,
      say: ({ x, y, low, high }, { label }) =>
        [`${t('pause')} ${x}`, `${label} ${duration(y)}`, t('95 % interval {range}', { range: durationRange(low, high) })],
      config: {
        type: 'line',
        data: { labels: gaps, datasets },
        options: {
          interaction: { mode: 'nearest', intersect: false },
          scales: {
            x: { type: 'category', offset: true, title: { display: true, text: t('pause before each inference') } },
            y: durationAxis(t('latency'), most, { beginAtZero: true, grace: '5%' }),
          },
        },
        plugins: [whiskers],
      },
    });
  }
  box.append(data(heading, head, rows));
}
