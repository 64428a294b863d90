// The report: what its charts share. All that they draw is in `results` (see chart_data()).
'use strict';
const root = document.documentElement;
const words = {
  en: {
    step: 'step',
    seed: 'seed',
    mean: 'mean',
    chance: 'chance',
    ceiling: 'ceiling',
    parameters: 'parameters',
    training_flops: 'training FLOPs',
    forward_flops: 'FLOPs of one forward',
    seconds: 'seconds of training',
    peak_mib: 'peak memory, MiB',
  },
  zh: {
    step: '步数',
    seed: '种子',
    mean: '平均',
    chance: '随机水平',
    ceiling: '上限',
    parameters: '参数量',
    training_flops: '训练浮点运算量',
    forward_flops: '单次前向浮点运算量',
    seconds: '训练秒数',
    peak_mib: '内存峰值（MiB）',
  },
};
let language = 'en';
const say = key => words[language][key];

// An arm keeps its color, dash and mark in every chart; the colors are told apart by those who see
// no red or no green.
const inks = {
  light: ['#0072b2', '#c4500a', '#00805e', '#b0508f', '#3d3d8f', '#8a6d00', '#4a5568'],
  dark: ['#5cb3ea', '#f08b4b', '#3fc79e', '#e29acb', '#a9a6f5', '#d8b93c', '#aab4c3'],
};
const dashes = [[], [7, 4], [2, 3], [10, 3, 2, 3]];
const marks = ['circle', 'rect', 'triangle', 'rectRot', 'crossRot'];
const hidden = new Set();
let lit = -1; // the arm under the pointer
let printing = false;
const darkness = matchMedia('(prefers-color-scheme: dark)');
const tone = () => (darkness.matches && !printing ? 'dark' : 'light');
const ink = arm => inks[tone()][arm % 7];
const dash = arm => dashes[Math.floor(arm / 7) % 4];
const variable = name => getComputedStyle(root).getPropertyValue(name).trim();
const color = name =>
  printing
    ? { '--ink': '#1d2430', '--dim': '#485162', '--line': '#d5dae2', '--paper': '#ffffff' }[name]
    : variable(name);
const faint = (arm, alpha) => ink(arm) + alpha;
const known = x => Number.isFinite(x);

const minus = text => String(text).replace(/^-/, '\u2212');
const short = x => {
  const size = Math.abs(x);
  for (const [least, unit] of [
    [1e15, 'P'],
    [1e12, 'T'],
    [1e9, 'G'],
    [1e6, 'M'],
    [1e3, 'k'],
  ])
    if (size >= least) return minus(+(x / least).toPrecision(3)) + '\u202f' + unit;
  return minus(+x.toPrecision(3));
};
const digits = x => minus(+x.toPrecision(4));
// As many digits after the point as tell one mark of the axis from the next.
const marked = (value, index, marks) => {
  if (marks.some(mark => Math.abs(mark.value) >= 1e4)) return short(value);
  const step = marks.length > 1 ? Math.abs(marks[1].value - marks[0].value) : Math.abs(value) || 1;
  let count = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  if (Math.abs(step * 10 ** count - Math.round(step * 10 ** count)) > 1e-6) ++count;
  return minus(value.toFixed(Math.min(count, 9)).replace(/^-(0\.?0*)$/, '$1'));
};
const axis = (title, more, ticks) =>
  Object.assign(
    {
      type: 'linear',
      title: { display: !!title, text: title },
      grid: { color: color('--line') },
      border: { color: color('--line') },
      ticks: Object.assign({ callback: marked, maxRotation: 0, autoSkipPadding: 12 }, ticks),
    },
    more,
  );
const options = (scales, callbacks, more) =>
  Object.assign(
    {
      animation: false,
      maintainAspectRatio: false,
      responsive: true,
      scales: scales,
      layout: { padding: { top: 6, right: 10 } },
      plugins: {
        legend: { display: false },
        tooltip: { displayColors: false, callbacks: callbacks },
      },
    },
    more,
  );
// A line on a chart's canvas.
function stroke(ctx, x0, y0, x1, y1) {
  ctx.beginPath();
  ctx.moveTo(x0, y0);
  ctx.lineTo(x1, y1);
  ctx.stroke();
}
