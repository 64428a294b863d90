// The report's charts: differences, learning curves, costs.

// Differences: dots of seeds above, the mean and its interval below.
function difference(number) {
  const one = results.contrasts[number];
  const dots = [];
  one.differences.forEach((x, k) => {
    if (known(x)) dots.push({ x: x, y: 2, seed: one.seeds[k] });
  });
  const ends = [0, one.mean, one.low, one.high, one.margin, -one.margin]
    .concat(dots.map(dot => dot.x))
    .filter(known);
  let low = Math.min(...ends),
    high = Math.max(...ends);
  const span = high - low || 1;
  low -= 0.06 * span;
  high += 0.06 * span;
  // Dots that would lie upon each other are stacked.
  dots.sort((p, q) => p.x - q.x);
  const near = 0.022 * (high - low);
  dots.forEach((dot, i) => {
    while (dots.slice(0, i).some(other => Math.abs(other.x - dot.x) < near && other.y === dot.y))
      dot.y += 0.42;
  });
  const top = Math.max(3, ...dots.map(dot => dot.y + 0.6));
  const lines = {
    id: 'lines',
    beforeDatasetsDraw(chart) {
      const {
        ctx,
        chartArea: area,
        scales: { x, y },
      } = chart;
      const at = value => x.getPixelForValue(value);
      ctx.save();
      if (one.margin > 0) {
        ctx.fillStyle = color('--dim') + '1f';
        ctx.fillRect(at(-one.margin), area.top, at(one.margin) - at(-one.margin), area.height);
        ctx.strokeStyle = color('--dim');
        ctx.lineWidth = 1;
        ctx.setLineDash([4, 3]);
        for (const edge of [-one.margin, one.margin])
          stroke(ctx, at(edge), area.top, at(edge), area.bottom);
        ctx.setLineDash([]);
      }
      ctx.strokeStyle = color('--ink');
      ctx.lineWidth = 1.25;
      stroke(ctx, at(0), area.top, at(0), area.bottom);
      if (known(one.low) && known(one.high)) {
        ctx.strokeStyle = ink(0);
        ctx.lineWidth = 2.5;
        stroke(ctx, at(one.low), y.getPixelForValue(1), at(one.high), y.getPixelForValue(1));
      }
      ctx.restore();
    },
  };
  const mean = known(one.mean) ? [{ x: one.mean, y: 1 }] : [];
  const label = item =>
    (item.raw.seed === undefined ? say('mean') : say('seed') + ' ' + item.raw.seed) +
    ': ' +
    digits(item.raw.x);
  const seeds = {
    data: dots,
    pointRadius: 5,
    backgroundColor: ink(0) + '99',
    borderColor: ink(0),
    clip: false,
  };
  const middle = {
    data: mean,
    pointRadius: 7,
    pointStyle: 'rectRot',
    backgroundColor: ink(0),
    borderColor: color('--paper'),
    borderWidth: 1.5,
    clip: false,
  };
  return {
    type: 'scatter',
    plugins: [lines],
    data: { datasets: [seeds, middle] },
    options: options(
      {
        x: axis('', { min: low, max: high }, { includeBounds: false }),
        y: { display: false, min: 0.4, max: top },
      },
      { label: label },
    ),
  };
}

function shown(cell) {
  return !hidden.has(cell.arm);
}

function curve(task) {
  const sets = [];
  let figure = null;
  for (const cell of results.cells) {
    if (cell.task !== task || !cell.curve || !shown(cell)) continue;
    figure = cell.curve;
    const points = values => values.map((y, i) => ({ x: cell.curve.steps[i], y: y }));
    const pale = lit >= 0 && lit !== cell.arm;
    const line = {
      borderColor: faint(cell.arm, pale ? '40' : 'ff'),
      borderWidth: lit === cell.arm ? 3.5 : 2,
      borderDash: dash(cell.arm),
    };
    const bound = { borderWidth: 0, pointRadius: 0, pointHitRadius: 0, fill: false, bound: true };
    sets.push(
      Object.assign(
        {
          label: results.arms[cell.arm],
          data: points(cell.curve.mean),
          pointRadius: cell.curve.steps.length > 2 ? 0 : 4,
          pointBackgroundColor: ink(cell.arm),
          pointHitRadius: 6,
          fill: false,
        },
        line,
      ),
    );
    sets.push(Object.assign({}, bound, { data: points(cell.curve.low) }));
    sets.push(
      Object.assign({}, bound, {
        data: points(cell.curve.high),
        fill: '-1',
        backgroundColor: faint(cell.arm, pale ? '08' : '22'),
      }),
    );
  }
  const said = {
    title: items => (items.length ? say('step') + ' ' + items[0].parsed.x : ''),
    label: item => item.dataset.label + ': ' + digits(item.parsed.y),
  };
  const config = {
    type: 'line',
    data: { datasets: sets },
    options: options({ x: axis(say('step')), y: axis(figure ? figure[language] : '') }, said, {
      parsing: false,
      normalized: true,
      interaction: { mode: 'nearest', intersect: false },
    }),
  };
  config.options.plugins.tooltip.filter = item => !item.dataset.bound;
  return config;
}

// Names beside their points, where there is room for them; the list of arms and the tooltip tell
// the others.
const names = {
  id: 'names',
  afterDatasetsDraw(chart) {
    const { ctx, chartArea: area } = chart;
    const taken = chart.reserved.slice();
    const points = set => chart.getDatasetMeta(set).data;
    chart.data.datasets.forEach((set, i) =>
      points(i).forEach(point => taken.push([point.x - 6, point.y - 6, point.x + 6, point.y + 6])),
    );
    const apart = (p, q) => p[2] < q[0] || p[0] > q[2] || p[3] < q[1] || p[1] > q[3];
    const inside = box =>
      box[0] >= area.left &&
      box[2] <= area.right + 8 &&
      box[1] >= area.top &&
      box[3] <= area.bottom;
    const free = box => inside(box) && taken.every(other => apart(box, other));
    ctx.save();
    ctx.font = '12px system-ui, sans-serif';
    ctx.textBaseline = 'middle';
    chart.data.datasets.forEach((set, i) => {
      const width = ctx.measureText(set.label).width;
      const places = [
        [9, 0],
        [-9 - width, 0],
        [9, -12],
        [9, 12],
        [-9 - width, -12],
        [-9 - width, 12],
        [-width / 2, -16],
        [-width / 2, 16],
      ];
      for (const point of points(i)) {
        for (const [dx, dy] of places) {
          const box = [point.x + dx, point.y + dy - 7, point.x + dx + width, point.y + dy + 7];
          if (!free(box)) continue;
          ctx.fillStyle = set.borderColor;
          ctx.fillText(set.label, box[0], point.y + dy);
          taken.push(box);
          break;
        }
      }
    });
    ctx.restore();
  },
};
const whiskers = {
  id: 'whiskers',
  beforeDatasetsDraw(chart) {
    const {
      ctx,
      scales: { x, y },
    } = chart;
    ctx.save();
    ctx.lineWidth = 1.5;
    for (const set of chart.data.datasets)
      for (const point of set.data) {
        if (!known(point.low) || !known(point.high)) continue;
        ctx.strokeStyle = set.borderColor;
        stroke(
          ctx,
          x.getPixelForValue(point.x),
          y.getPixelForValue(point.low),
          x.getPixelForValue(point.x),
          y.getPixelForValue(point.high),
        );
      }
    ctx.restore();
  },
};
const levels = task => ({
  id: 'levels',
  beforeDatasetsDraw(chart) {
    const {
      ctx,
      chartArea: area,
      scales: { y },
    } = chart;
    ctx.save();
    ctx.strokeStyle = ctx.fillStyle = color('--dim');
    ctx.setLineDash([4, 4]);
    ctx.lineWidth = 1;
    ctx.font = '11px system-ui, sans-serif';
    ctx.textAlign = 'right';
    chart.reserved = [];
    for (const level of ['chance', 'ceiling']) {
      const height = y.getPixelForValue(task[level]);
      if (!known(task[level]) || height < area.top || height > area.bottom) continue;
      stroke(ctx, area.left, height, area.right, height);
      const base = height - area.top < 16 ? height + 12 : height - 4,
        width = ctx.measureText(say(level)).width;
      ctx.fillText(say(level), area.right - 4, base);
      chart.reserved.push([area.right - 4 - width, base - 10, area.right - 4, base + 2]);
    }
    ctx.restore();
  },
});
function cost() {
  const task = Number(document.getElementById('cost-task').value),
    kind = document.getElementById('cost-axis').value;
  const cells = results.cells.filter(
    cell => cell.task === task && shown(cell) && known(cell.mean) && known(cell[kind]),
  );
  const xs = cells.map(cell => cell[kind]),
    least = Math.min(...xs),
    most = Math.max(...xs);
  const ys = cells.flatMap(cell => [cell.mean, cell.low, cell.high]).filter(known),
    room = 0.05 * (Math.max(...ys) - Math.min(...ys) || 1);
  // Alike costs, as of equal budgets, are told apart on a plain scale only.
  const log = least > 0 && most > 3 * least;
  const sets = cells.map(cell => {
    const pale = lit >= 0 && lit !== cell.arm;
    return {
      label: results.arms[cell.arm],
      data: [{ x: cell[kind], y: cell.mean, low: cell.low, high: cell.high }],
      pointStyle: marks[cell.arm % 5],
      pointRadius: 6,
      borderWidth: 2,
      borderColor: faint(cell.arm, pale ? '40' : 'ff'),
      backgroundColor: faint(cell.arm, pale ? '20' : 'b0'),
    };
  });
  const range = log
    ? { type: 'logarithmic', min: least / 1.35, max: most * 1.6 }
    : { grace: '15%' };
  const height =
    ys.length > 0
      ? { suggestedMin: Math.min(...ys) - room, suggestedMax: Math.max(...ys) + room }
      : {};
  const leading = x => ([1, 2, 5].includes(Number(x.toExponential()[0])) ? short(x) : '');
  const about = results.tasks[task];
  return {
    type: 'scatter',
    data: { datasets: sets },
    plugins: about ? [levels(about), whiskers, names] : [],
    options: options(
      {
        x: axis(say(kind), range, log ? { callback: leading } : {}),
        y: axis(about ? about[language] : '', height),
      },
      { label: item => item.dataset.label + ': ' + digits(item.raw.y) + ', ' + short(item.raw.x) },
    ),
  };
}
