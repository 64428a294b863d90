// The script of the report: the language and the charts. All that it draws is in `results` (see
// chart_data()).
#include "train/report/compare_parts.h"

namespace weft::report::page {

const char* const kCompareScript = R"js(
'use strict';
const root = document.documentElement;
const words = {
  en: { step: 'step', seed: 'seed', mean: 'mean', chance: 'chance', ceiling: 'ceiling', parameters: 'parameters', training_flops: 'training FLOPs',
        forward_flops: 'FLOPs of one forward', seconds: 'seconds of training', peak_mib: 'peak memory, MiB' },
  zh: { step: '步数', seed: '种子', mean: '平均', chance: '随机水平', ceiling: '上限', parameters: '参数量', training_flops: '训练浮点运算量',
        forward_flops: '单次前向浮点运算量', seconds: '训练秒数', peak_mib: '内存峰值（MiB）' } };
let language = 'en';
const say = key => words[language][key];

// An arm keeps its colour, dash and mark in every chart; the colours are told apart by those who see no red or no green.
const inks = { light: ['#0072b2', '#c4500a', '#00805e', '#b0508f', '#3d3d8f', '#8a6d00', '#4a5568'],
               dark: ['#5cb3ea', '#f08b4b', '#3fc79e', '#e29acb', '#a9a6f5', '#d8b93c', '#aab4c3'] };
const dashes = [[], [7, 4], [2, 3], [10, 3, 2, 3]];
const marks = ['circle', 'rect', 'triangle', 'rectRot', 'crossRot'];
const hidden = new Set();
let lit = -1;  // the arm under the pointer
let printing = false;
const darkness = matchMedia('(prefers-color-scheme: dark)');
const tone = () => darkness.matches && !printing ? 'dark' : 'light';
const ink = arm => inks[tone()][arm % 7];
const dash = arm => dashes[Math.floor(arm / 7) % 4];
const variable = name => getComputedStyle(root).getPropertyValue(name).trim();
const colour = name => printing ? { '--ink': '#1d2430', '--dim': '#485162', '--line': '#d5dae2', '--paper': '#ffffff' }[name] : variable(name);
const faint = (arm, alpha) => ink(arm) + alpha;
const known = x => typeof x === 'number' && isFinite(x);

const minus = text => String(text).replace(/^-/, '\u2212');
const short = x => {
  const size = Math.abs(x);
  for (const [least, unit] of [[1e15, 'P'], [1e12, 'T'], [1e9, 'G'], [1e6, 'M'], [1e3, 'k']])
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
const axis = (title, more, ticks) => Object.assign({ type: 'linear', title: { display: !!title, text: title }, grid: { color: colour('--line') },
  border: { color: colour('--line') }, ticks: Object.assign({ callback: marked, maxRotation: 0, autoSkipPadding: 12 }, ticks) }, more);
const options = (scales, callbacks, more) => Object.assign({ animation: false, maintainAspectRatio: false, responsive: true, scales: scales,
  layout: { padding: { top: 6, right: 10 } }, plugins: { legend: { display: false }, tooltip: { displayColors: false, callbacks: callbacks } } }, more);
// A line on a chart's canvas.
function stroke(ctx, x0, y0, x1, y1) { ctx.beginPath(); ctx.moveTo(x0, y0); ctx.lineTo(x1, y1); ctx.stroke(); }

// Differences: dots of seeds above, the mean and its interval below.
function difference(number) {
  const one = results.contrasts[number];
  const dots = [];
  one.differences.forEach((x, k) => { if (known(x)) dots.push({ x: x, y: 2, seed: one.seeds[k] }); });
  const ends = [0, one.mean, one.low, one.high, one.margin, -one.margin].concat(dots.map(dot => dot.x)).filter(known);
  let low = Math.min(...ends), high = Math.max(...ends);
  const span = (high - low) || 1;
  low -= 0.06 * span; high += 0.06 * span;
  // Dots that would lie upon each other are stacked.
  dots.sort((p, q) => p.x - q.x);
  const near = 0.022 * (high - low);
  dots.forEach((dot, i) => { while (dots.slice(0, i).some(other => Math.abs(other.x - dot.x) < near && other.y === dot.y)) dot.y += 0.42; });
  const top = Math.max(3, ...dots.map(dot => dot.y + 0.6));
  const lines = { id: 'lines', beforeDatasetsDraw(chart) {
    const { ctx, chartArea: area, scales: { x, y } } = chart;
    const at = value => x.getPixelForValue(value);
    ctx.save();
    if (one.margin > 0) {
      ctx.fillStyle = colour('--dim') + '1f';
      ctx.fillRect(at(-one.margin), area.top, at(one.margin) - at(-one.margin), area.height);
      ctx.strokeStyle = colour('--dim'); ctx.lineWidth = 1; ctx.setLineDash([4, 3]);
      for (const edge of [-one.margin, one.margin]) stroke(ctx, at(edge), area.top, at(edge), area.bottom);
      ctx.setLineDash([]);
    }
    ctx.strokeStyle = colour('--ink'); ctx.lineWidth = 1.25;
    stroke(ctx, at(0), area.top, at(0), area.bottom);
    if (known(one.low) && known(one.high)) {
      ctx.strokeStyle = ink(0); ctx.lineWidth = 2.5;
      stroke(ctx, at(one.low), y.getPixelForValue(1), at(one.high), y.getPixelForValue(1));
    }
    ctx.restore();
  } };
  const mean = known(one.mean) ? [{ x: one.mean, y: 1 }] : [];
  const label = item => (item.raw.seed === undefined ? say('mean') : say('seed') + ' ' + item.raw.seed) + ': ' + digits(item.raw.x);
  const seeds = { data: dots, pointRadius: 5, backgroundColor: ink(0) + '99', borderColor: ink(0), clip: false };
  const middle = { data: mean, pointRadius: 7, pointStyle: 'rectRot', backgroundColor: ink(0), borderColor: colour('--paper'), borderWidth: 1.5, clip: false };
  return { type: 'scatter', plugins: [lines], data: { datasets: [seeds, middle] },
    options: options({ x: axis('', { min: low, max: high }, { includeBounds: false }), y: { display: false, min: 0.4, max: top } }, { label: label }) };
}

function shown(cell) { return !hidden.has(cell.arm); }

function curve(task) {
  const sets = [];
  let figure = null;
  for (const cell of results.cells) {
    if (cell.task !== task || !cell.curve || !shown(cell)) continue;
    figure = cell.curve;
    const points = values => values.map((y, i) => ({ x: cell.curve.steps[i], y: y }));
    const pale = lit >= 0 && lit !== cell.arm;
    const line = { borderColor: faint(cell.arm, pale ? '40' : 'ff'), borderWidth: lit === cell.arm ? 3.5 : 2, borderDash: dash(cell.arm) };
    const bound = { borderWidth: 0, pointRadius: 0, pointHitRadius: 0, fill: false, bound: true };
    sets.push(Object.assign({ label: results.arms[cell.arm], data: points(cell.curve.mean), pointRadius: cell.curve.steps.length > 2 ? 0 : 4,
      pointBackgroundColor: ink(cell.arm), pointHitRadius: 6, fill: false }, line));
    sets.push(Object.assign({}, bound, { data: points(cell.curve.low) }));
    sets.push(Object.assign({}, bound, { data: points(cell.curve.high), fill: '-1', backgroundColor: faint(cell.arm, pale ? '08' : '22') }));
  }
  const said = { title: items => items.length ? say('step') + ' ' + items[0].parsed.x : '', label: item => item.dataset.label + ': ' + digits(item.parsed.y) };
  const config = { type: 'line', data: { datasets: sets }, options: options({ x: axis(say('step')), y: axis(figure ? figure[language] : '') }, said,
    { parsing: false, normalized: true, interaction: { mode: 'nearest', intersect: false } }) };
  config.options.plugins.tooltip.filter = item => !item.dataset.bound;
  return config;
}

// Names beside their points, where there is room for them; the list of arms and the tooltip tell the others.
const names = { id: 'names', afterDatasetsDraw(chart) {
  const { ctx, chartArea: area } = chart;
  const taken = chart.reserved.slice();
  const points = set => chart.getDatasetMeta(set).data;
  chart.data.datasets.forEach((set, i) => points(i).forEach(point => taken.push([point.x - 6, point.y - 6, point.x + 6, point.y + 6])));
  const apart = (p, q) => p[2] < q[0] || p[0] > q[2] || p[3] < q[1] || p[1] > q[3];
  const inside = box => box[0] >= area.left && box[2] <= area.right + 8 && box[1] >= area.top && box[3] <= area.bottom;
  const free = box => inside(box) && taken.every(other => apart(box, other));
  ctx.save();
  ctx.font = '12px system-ui, sans-serif'; ctx.textBaseline = 'middle';
  chart.data.datasets.forEach((set, i) => {
    const width = ctx.measureText(set.label).width;
    const places = [[9, 0], [-9 - width, 0], [9, -12], [9, 12], [-9 - width, -12], [-9 - width, 12], [-width / 2, -16], [-width / 2, 16]];
    for (const point of points(i)) {
      for (const [dx, dy] of places) {
        const box = [point.x + dx, point.y + dy - 7, point.x + dx + width, point.y + dy + 7];
        if (!free(box)) continue;
        ctx.fillStyle = set.borderColor; ctx.fillText(set.label, box[0], point.y + dy); taken.push(box);
        break;
      }
    }
  });
  ctx.restore();
} };
const whiskers = { id: 'whiskers', beforeDatasetsDraw(chart) {
  const { ctx, scales: { x, y } } = chart;
  ctx.save(); ctx.lineWidth = 1.5;
  for (const set of chart.data.datasets) for (const point of set.data) {
    if (!known(point.low) || !known(point.high)) continue;
    ctx.strokeStyle = set.borderColor;
    stroke(ctx, x.getPixelForValue(point.x), y.getPixelForValue(point.low), x.getPixelForValue(point.x), y.getPixelForValue(point.high));
  }
  ctx.restore();
} };
const levels = task => ({ id: 'levels', beforeDatasetsDraw(chart) {
  const { ctx, chartArea: area, scales: { y } } = chart;
  ctx.save();
  ctx.strokeStyle = ctx.fillStyle = colour('--dim'); ctx.setLineDash([4, 4]); ctx.lineWidth = 1;
  ctx.font = '11px system-ui, sans-serif'; ctx.textAlign = 'right';
  chart.reserved = [];
  for (const level of ['chance', 'ceiling']) {
    const height = y.getPixelForValue(task[level]);
    if (!known(task[level]) || height < area.top || height > area.bottom) continue;
    stroke(ctx, area.left, height, area.right, height);
    const base = height - area.top < 16 ? height + 12 : height - 4, width = ctx.measureText(say(level)).width;
    ctx.fillText(say(level), area.right - 4, base);
    chart.reserved.push([area.right - 4 - width, base - 10, area.right - 4, base + 2]);
  }
  ctx.restore();
} });
function cost() {
  const task = Number(document.getElementById('cost-task').value), kind = document.getElementById('cost-axis').value;
  const cells = results.cells.filter(cell => cell.task === task && shown(cell) && known(cell.mean) && known(cell[kind]));
  const xs = cells.map(cell => cell[kind]), least = Math.min(...xs), most = Math.max(...xs);
  const ys = cells.flatMap(cell => [cell.mean, cell.low, cell.high]).filter(known), room = 0.05 * (Math.max(...ys) - Math.min(...ys) || 1);
  const log = least > 0 && most > 3 * least;  // alike costs, as of equal budgets, are told apart on a plain scale only
  const sets = cells.map(cell => {
    const pale = lit >= 0 && lit !== cell.arm;
    return { label: results.arms[cell.arm], data: [{ x: cell[kind], y: cell.mean, low: cell.low, high: cell.high }], pointStyle: marks[cell.arm % 5],
             pointRadius: 6, borderWidth: 2, borderColor: faint(cell.arm, pale ? '40' : 'ff'), backgroundColor: faint(cell.arm, pale ? '20' : 'b0') };
  });
  const range = log ? { type: 'logarithmic', min: least / 1.35, max: most * 1.6 } : { grace: '15%' };
  const height = ys.length > 0 ? { suggestedMin: Math.min(...ys) - room, suggestedMax: Math.max(...ys) + room } : {};
  const leading = x => [1, 2, 5].includes(Number(x.toExponential()[0])) ? short(x) : '';
  const about = results.tasks[task];
  return { type: 'scatter', data: { datasets: sets }, plugins: about ? [levels(about), whiskers, names] : [],
    options: options({ x: axis(say(kind), range, log ? { callback: leading } : {}), y: axis(about ? about[language] : '', height) },
      { label: item => item.dataset.label + ': ' + digits(item.raw.y) + ', ' + short(item.raw.x) }) };
}

const builders = { difference, curve, cost };
const charts = new Map();
function draw(kinds) {
  Chart.defaults.color = colour('--dim');
  Chart.defaults.font.family = 'system-ui, sans-serif';
  for (const canvas of document.querySelectorAll('canvas[data-chart]')) {
    if (kinds && !kinds.includes(canvas.dataset.chart)) continue;
    const old = charts.get(canvas), fresh = builders[canvas.dataset.chart](Number(canvas.dataset.number));
    if (old) old.destroy();
    charts.set(canvas, new Chart(canvas, fresh));
  }
}

function keys() {
  const box = document.getElementById('arm-keys');
  if (!box) return;
  const of_curves = ['curve', 'cost'];
  const light = arm => { if (lit !== arm && results.arms.length <= 40) { lit = arm; draw(of_curves); } };
  box.replaceChildren(...results.arms.map((name, arm) => {
    const button = document.createElement('button');
    button.type = 'button';
    button.setAttribute('aria-pressed', String(!hidden.has(arm)));
    button.innerHTML = '<svg width="26" height="8" aria-hidden="true"><line x1="1" x2="25" y1="4" y2="4" stroke-width="2.5"/></svg>';
    const line = button.querySelector('line');
    line.setAttribute('stroke', ink(arm));
    line.setAttribute('stroke-dasharray', dash(arm).join(' '));
    button.append(name);
    button.onclick = () => {
      if (!hidden.delete(arm)) hidden.add(arm);
      button.setAttribute('aria-pressed', String(!hidden.has(arm)));
      draw(of_curves);
    };
    button.onmouseenter = () => light(arm);
    button.onmouseleave = () => light(-1);
    return button;
  }));
}

function speak(chosen) {
  language = chosen;
  root.lang = chosen === 'zh' ? 'zh-CN' : 'en';
  const button = document.getElementById('language');
  button.textContent = chosen === 'zh' ? 'English' : '中文';
  button.lang = chosen === 'zh' ? 'en' : 'zh-CN';
  for (const element of document.querySelectorAll('[data-en-text]')) element.textContent = element.getAttribute('data-' + chosen + '-text');
  for (const name of ['aria-label', 'title'])
    for (const element of document.querySelectorAll('[data-en-' + name + ']'))
      element.setAttribute(name, element.getAttribute('data-' + chosen + '-' + name));
  draw();
}

function repaint() { keys(); draw(); }
document.getElementById('language').hidden = false;
document.getElementById('language').onclick = () => speak(language === 'en' ? 'zh' : 'en');
for (const id of ['cost-task', 'cost-axis']) document.getElementById(id).onchange = () => draw(['cost']);
darkness.addEventListener('change', repaint);
addEventListener('beforeprint', () => { printing = true; repaint(); });
addEventListener('afterprint', () => { printing = false; repaint(); });
keys();
speak((navigator.language || 'en').toLowerCase().startsWith('zh') ? 'zh' : 'en');
)js";

}  // namespace weft::report::page
