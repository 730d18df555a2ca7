'use strict';
// What lapse draws into a chart beside the library's own points and bars.

const styles = getComputedStyle(document.documentElement);

/** A colour of the present scheme, as style.css names it. */
function colour(name, alpha = 1) {
  const value = styles.getPropertyValue(`--${name}`).trim();
  return alpha === 1 ? value : value + Math.round(alpha * 255).toString(16).padStart(2, '0');
}

/** What every chart begins with. */
function dress() {
  Chart.defaults.animation = false;
  Chart.defaults.maintainAspectRatio = false;
  Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
  Chart.defaults.font.size = 13;
  Chart.defaults.color = colour('muted');
  Chart.defaults.borderColor = colour('line');
  Chart.defaults.plugins.legend.display = false;
  Chart.defaults.plugins.tooltip.backgroundColor = colour('ink');
  Chart.defaults.plugins.tooltip.bodyColor = colour('ground');
  Chart.defaults.plugins.tooltip.displayColors = false;
}

const markLine = 16; // pixels that the word of a mark takes

/**
 * Lines across the chart with a word at them, and bands: [{ axis: 'x' or 'y', value, label, colour }, { axis, from, to }]. A plug-in of
 * Chart.js. The words of upright lines stand above the chart, one higher where they would lie on each other; marksRoom is what they need.
 */
function marks(list) {
  return {
    id: 'marks',
    beforeDatasetsDraw({ ctx, chartArea: area, scales }) {
      ctx.save();
      for (const { axis, from, to } of list.filter((mark) => 'from' in mark)) {
        const [begin, end] = [from, to].map((value) => Math.min(Math.max(scales[axis].getPixelForValue(value), area.left), area.right));
        ctx.fillStyle = colour('ink', 0.07);
        ctx.fillRect(begin, area.top, end - begin, area.bottom - area.top);
      }
      ctx.restore();
    },
    afterDatasetsDraw({ ctx, chartArea: area, scales }) {
      ctx.save();
      ctx.font = `12px ${Chart.defaults.font.family}`;
      const taken = [];
      for (const mark of list.filter(({ value }) => Number.isFinite(value))) line(ctx, area, scales[mark.axis], mark, taken);
      ctx.restore();
    },
  };

  function line(ctx, area, scale, { axis, value, label, colour: name = 'ink' }, taken) {
    const at = Math.round(scale.getPixelForValue(value)) + 0.5;
    const [low, high] = axis === 'x' ? [area.left, area.right] : [area.top, area.bottom];
    if (at < low - 1 || at > high + 1) return;
    ctx.strokeStyle = colour(name);
    ctx.lineWidth = 1.5;
    ctx.setLineDash([5, 4]);
    ctx.beginPath();
    ctx.moveTo(...(axis === 'x' ? [at, area.top] : [area.left, at]));
    ctx.lineTo(...(axis === 'x' ? [at, area.bottom] : [area.right, at]));
    ctx.stroke();
    const width = ctx.measureText(label).width;
    const left = axis === 'x' ? Math.min(Math.max(at - width / 2, area.left), area.right - width) : area.right - width - 6;
    let top = axis === 'x' ? area.top - markLine : at - markLine - 2 < area.top ? at + 3 : at - markLine - 2;
    while (taken.some((box) => box.top === top && left < box.left + box.width + 6 && box.left < left + width + 6)) top -= markLine;
    taken.push({ left, top, width });
    ctx.fillStyle = colour(name);
    ctx.textBaseline = 'top';
    ctx.fillText(label, left, top + 1);
  }
}

/** What a chart's layout.padding has to leave above it for upright marks. */
function marksRoom(list) {
  const words = list.filter(({ axis, value }) => axis === 'x' && Number.isFinite(value)).length;
  return { top: words ? words * markLine + 4 : 0 };
}

/** Intervals as whiskers: of points with low and high (y), and left and right (x). A plug-in of Chart.js. */
const whiskers = {
  id: 'whiskers',
  beforeDatasetsDraw(chart) {
    const { ctx, chartArea: area, scales: { x, y } } = chart;
    ctx.save();
    ctx.beginPath();
    ctx.rect(area.left, area.top, area.width, area.height);
    ctx.clip();
    ctx.lineWidth = 1.5;
    chart.data.datasets.forEach((dataset) => {
      ctx.strokeStyle = dataset.borderColor;
      ctx.beginPath();
      for (const point of dataset.data) {
        const [h, v] = [x.getPixelForValue(point.x), y.getPixelForValue(point.y)];
        if (Number.isFinite(point.low)) stroke(ctx, [h, y.getPixelForValue(point.low)], [h, y.getPixelForValue(point.high)], [4, 0]);
        if (Number.isFinite(point.left)) stroke(ctx, [x.getPixelForValue(point.left), v], [x.getPixelForValue(point.right), v], [0, 4]);
      }
      ctx.stroke();
    });
    ctx.restore();

    function stroke(context, from, to, [across, down]) {
      context.moveTo(...from);
      context.lineTo(...to);
      for (const [h, v] of [from, to]) {
        context.moveTo(h - across, v - down);
        context.lineTo(h + across, v + down);
      }
    }
  },
};

/** The number of the batch on every bar that has room for it: of points with batch and ink. A plug-in of Chart.js. */
const batchNumbers = {
  id: 'batchNumbers',
  afterDatasetsDraw(chart) {
    const { ctx, chartArea: area } = chart;
    ctx.save();
    ctx.font = `600 12px ${Chart.defaults.font.family}`;
    ctx.textAlign = 'center';
    ctx.textBaseline = 'middle';
    chart.data.datasets.forEach((dataset, index) => {
      chart.getDatasetMeta(index).data.forEach((bar, at) => {
        const { x, base, y } = bar.getProps(['x', 'base', 'y'], true);
        const begin = Math.max(Math.min(x, base), area.left), end = Math.min(Math.max(x, base), area.right);
        const text = String(dataset.data[at].batch);
        if (end - begin < ctx.measureText(text).width + 6) return;
        ctx.fillStyle = dataset.data[at].ink;
        ctx.fillText(text, (begin + end) / 2, y + 0.5);
      });
    });
    ctx.restore();
  },
};

/** An axis of durations: numbers in the one unit that fits the largest, which its title names. `most` in nanoseconds. */
function durationAxis(title, most, more = {}) {
  const unit = unitOf(most);
  return {
    type: 'linear',
    title: { display: true, text: `${title} (${unit.name})` },
    ticks: {
      callback: (value) => String(Number((value / unit.scale).toPrecision(6))),
      maxTicksLimit: 7, includeBounds: false, maxRotation: 0, autoSkipPadding: 16,
    },
    ...more,
  };
}

/** Logarithmic where the values span more than a linear axis can show; then only 1, 2 and 5 have numbers. */
function fitting(axis, low, high, span = 30) {
  if (!(low > 0) || high / low < span) return axis;
  const write = axis.ticks.callback;
  return {
    ...axis,
    type: 'logarithmic',
    ticks: {
      ...axis.ticks,
      callback: (value) => ([1, 2, 5].includes(leadingFigure(value)) ? write(value) : null),
    },
  };
}

function leadingFigure(value) {
  return Number((value / 10 ** Math.floor(Math.log10(value) + 1e-9)).toPrecision(3));
}

/** At most about so many points, the lowest and the highest of each stretch: what stands out stays. */
function thinned(points, most = 2000) {
  if (points.length <= most) return points;
  const size = Math.ceil((2 * points.length) / most);
  const kept = [];
  for (let from = 0; from < points.length; from += size) {
    const stretch = points.slice(from, from + size);
    const low = stretch.reduce((best, point) => (point.y < best.y ? point : best));
    const high = stretch.reduce((best, point) => (point.y > best.y ? point : best));
    kept.push(...(low === high ? [low] : low.x < high.x ? [low, high] : [high, low]));
  }
  return kept;
}
