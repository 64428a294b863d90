#include "train/explain/maps_script.h"

namespace weft::explain {

const char* const kMapsStyle = R"css(
#tokens { border: 1px solid var(--line); border-radius: 6px; padding: .6rem; line-height: 1.9; font-family: ui-monospace, monospace; }
#tokens button { font: inherit; line-height: 1.3; color: var(--ink); background: none; border: 0; border-radius: 3px; padding: .1rem .16rem;
    margin: 0 1px; cursor: pointer; }
#tokens button.deep { color: #fff; } #tokens button[aria-selected=true] { outline: 2px solid rgb(191 82 20); }
#tokens button.unseen { opacity: .45; }
#words { min-height: 3rem; }
#maps { display: grid; grid-template-columns: 4.2rem repeat(var(--heads), minmax(4.5rem, 14rem)); gap: .5rem; align-items: center;
    min-width: calc(4.2rem + var(--heads) * 5rem); margin: .5rem 0; }
#maps .layer { color: var(--dim); font-size: .85rem; }
#maps button { padding: .3rem; line-height: 1.2; text-align: center; } #maps canvas { margin-bottom: .2rem; aspect-ratio: var(--shape, 1); }
.beside { display: flex; flex-wrap: wrap; gap: 1.5rem; } .beside > div { flex: 1 1 14rem; }
#large { width: min(22rem, 100%); aspect-ratio: var(--shape, 1); border: 1px solid var(--line); border-radius: 6px; cursor: crosshair;
    align-self: flex-start; }
#choices button { font: inherit; font-size: .85rem; color: var(--ink); background: none; border: 1px solid var(--line); border-radius: 6px;
    padding: .3rem .7rem; margin: 0 .5rem .5rem 0; cursor: pointer; }
#choices button[aria-pressed=true] { border-color: rgb(45 105 210); box-shadow: 0 0 0 1px rgb(45 105 210); }
.plot { width: 100%; max-width: 45rem; font-size: 12px; } .plot text { fill: var(--dim); } .plot .grid { stroke: var(--line); }
    .plot .mark { stroke: var(--dim); stroke-dasharray: 5 4; }
.plot circle { fill: rgb(45 105 210 / .75); stroke: var(--paper); } .near td { text-align: left; } .near small { color: var(--dim); }
@media (prefers-color-scheme: dark) { .plot circle { fill: rgb(88 140 240 / .9); } }
@media (max-width: 640px) { .plot { min-width: 34rem; } .plotframe { overflow-x: auto; } }
)css";

const char* const kMapsScript = R"js(
const shade = share => 'rgb(45 105 210 / ' + share.toFixed(3) + ')';
const bytes = text => Uint8Array.from(atob(text), c => c.charCodeAt(0));
const packed = bytes(data.weights);
const weight = (l, h, q, k) => {
  const i = ((l * data.heads + h) * data.queries + (data.queries === 1 ? 0 : q)) * data.size + k;
  return (packed[2 * i] | packed[2 * i + 1] << 8) / 65535;
};
/// Weights of all keys from one query, or (query -1) their mean over the queries.
const row = (l, h, query) => {
  const sums = new Array(data.size).fill(0);
  const queries = query >= 0 ? [query] : [...Array(data.queries).keys()];
  for (const q of queries) for (let k = 0; k < data.size; ++k) sums[k] += weight(l, h, q, k) / queries.length;
  return sums;
};
const state = { layer: 0, head: 0, query: -1 };
const maps = document.getElementById('maps'), words = document.getElementById('words');
maps.style.setProperty('--heads', data.heads);
const canvases = [];
for (let l = 0; l < data.layers; ++l) {
  maps.append(Object.assign(document.createElement('div'), { className: 'layer', textContent: 'layer ' + (l + 1) }));
  for (let h = 0; h < data.heads; ++h) {
    const button = document.createElement('button'), canvas = document.createElement('canvas');
    button.setAttribute('aria-label', 'layer ' + (l + 1) + ', head ' + (h + 1));
    button.append(canvas, 'head ' + (h + 1));
    button.onclick = () => { state.layer = l; state.head = h; refresh(); };
    maps.append(button);
    canvases.push({ l, h, canvas, button });
  }
}
function mark() {
  for (const { l, h, button } of canvases) button.setAttribute('aria-pressed', l === state.layer && h === state.head);
}
function tell(from) {
  const weights = row(state.layer, state.head, state.query);
  const best = [...weights.keys()].sort((a, b) => weights[b] - weights[a]).slice(0, 5).filter(k => weights[k] >= 0.0005);
  words.textContent = 'Layer ' + (state.layer + 1) + ', head ' + (state.head + 1) + ', from ' + from + ': ' + best.map(k => data.tokens[k] + ' ' + weights[k].toFixed(3)).join(', ') + '.';
}
)js";

const char* const kTextMapsScript = R"js(
const box = document.getElementById('tokens'), spans = [];
data.tokens.forEach((token, i) => {
  const span = document.createElement('button');
  span.textContent = token;
  span.setAttribute('role', 'option');
  span.tabIndex = -1;
  span.onmouseenter = () => { shown = i; paint(); };
  span.onclick = () => { state.query = shown = i; refresh(); };
  box.append(span);
  if (token === '⏎') box.append(document.createElement('br'));
  spans.push(span);
});
let shown = state.query = data.tokens.length - 1;
box.onmouseleave = () => { shown = state.query; paint(); };
box.onkeydown = e => {
  const step = { ArrowLeft: -1, ArrowRight: 1 }[e.key];
  if (!step) return;
  e.preventDefault();
  state.query = shown = Math.min(spans.length - 1, Math.max(0, state.query + step));
  refresh();
  spans[state.query].focus();
};
function paint() {
  const kept = state.query;
  state.query = shown;
  const weights = row(state.layer, state.head, shown), largest = Math.max(...weights, 1e-9);
  spans.forEach((span, k) => {
    const share = weights[k] / largest;
    span.style.background = weights[k] >= 0.0005 ? shade(share) : 'none';
    span.classList.toggle('deep', share > 0.72);
    span.classList.toggle('unseen', data.causal && k > shown);
    span.setAttribute('aria-selected', k === shown);
    span.tabIndex = k === kept ? 0 : -1;
  });
  tell('token ' + (shown + 1) + ' ' + data.tokens[shown]);
  state.query = kept;
}
function picture(l, h, canvas) {
  const cell = Math.max(1, Math.floor(240 / data.size));
  canvas.width = cell * data.size;
  canvas.height = cell * data.queries;
  const pen = canvas.getContext('2d');
  for (let q = 0; q < data.queries; ++q) {
    const weights = row(l, h, q);
    for (let k = 0; k < data.size; ++k) if (weights[k] >= 0.002) {
      pen.fillStyle = shade(Math.sqrt(weights[k]));
      pen.fillRect(k * cell, q * cell, cell, cell);
    }
  }
}
maps.style.setProperty('--shape', data.size + ' / ' + data.queries);
for (const { l, h, canvas } of canvases) picture(l, h, canvas);
function refresh() { mark(); paint(); }
refresh();
)js";

const char* const kImageMapsScript = R"js(
const columns = data.width / data.patch, rows = data.height / data.patch, skip = data.classToken ? 1 : 0;
const pixels = bytes(data.pixels), area = data.height * data.width;
const light = i => data.channels === 1 ? pixels[i] / 255 : (0.299 * pixels[i] + 0.587 * pixels[area + i] + 0.114 * pixels[2 * area + i]) / 255;
maps.style.setProperty('--shape', columns + ' / ' + rows);
const large = document.getElementById('large'), choices = document.getElementById('choices');
large.style.setProperty('--shape', columns + ' / ' + rows);
const readsClass = skip && data.queries > 1;
let shown = state.query = readsClass ? 0 : -1;

/// Shades under the picture, whose light parts are drawn as grey ink (a photograph: the picture under the shades).
function picture(l, h, canvas, side) {
  const scale = Math.max(1, Math.floor(side / data.width)), pen = canvas.getContext('2d'), photo = data.channels === 3;
  canvas.width = data.width * scale;
  canvas.height = data.height * scale;
  const ink = () => {
    for (let i = 0; i < area; ++i) {
      const v = light(i);
      pen.fillStyle = photo ? 'rgb(' + [v, v, v].map(c => Math.round(255 * c)).join(' ') + ')' : 'rgb(110 118 130 / ' + (0.8 * v).toFixed(3) + ')';
      if (photo || v > 0.02) pen.fillRect((i % data.width) * scale, Math.floor(i / data.width) * scale, scale, scale);
    }
  };
  if (photo) ink();
  const weights = row(l, h, shown).slice(skip), largest = Math.max(...weights, 1e-9), step = data.patch * scale;
  weights.forEach((w, k) => {
    pen.fillStyle = shade(w / largest);
    if (w > 0) pen.fillRect((k % columns) * step, Math.floor(k / columns) * step, step, step);
  });
  if (!photo) ink();
  const at = shown - skip;
  if (at < 0) return;
  pen.strokeStyle = 'rgb(191 82 20)';
  pen.lineWidth = Math.max(2, scale / 3);
  pen.strokeRect((at % columns) * step + pen.lineWidth / 2, Math.floor(at / columns) * step + pen.lineWidth / 2, step - pen.lineWidth,
      step - pen.lineWidth);
}
function paint() {
  for (const { l, h, canvas } of canvases) picture(l, h, canvas, 84);
  picture(state.layer, state.head, large, 448);
  choices.querySelectorAll('button').forEach(b => b.setAttribute('aria-pressed', Number(b.value) === shown));
  const kept = state.query;
  state.query = shown;
  tell(shown < 0 ? 'all patches (mean)' : data.tokens[shown]);
  state.query = kept;
}
function refresh() { mark(); shown = state.query; paint(); }
for (const [name, query] of [['mean over all patches', -1], ...(readsClass ? [['class token', 0]] : [])]) {
  const button = Object.assign(document.createElement('button'), { textContent: name, value: query });
  button.onclick = () => { state.query = query; refresh(); };
  choices.append(button);
}
const under = e => {
  const c = Math.floor(e.offsetX / large.clientWidth * columns), r = Math.floor(e.offsetY / large.clientHeight * rows);
  return skip + Math.min(rows - 1, Math.max(0, r)) * columns + Math.min(columns - 1, Math.max(0, c));
};
if (data.queries > 1) {
  large.onmousemove = e => { const at = under(e); if (at !== shown) { shown = at; paint(); } };
  large.onmouseleave = () => { shown = state.query; paint(); };
  large.onclick = e => { state.query = under(e); refresh(); };
  large.onkeydown = e => {
    const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns }[e.key];
    if (!step) return;
    e.preventDefault();
    const at = Math.max(skip, state.query) + (state.query < skip ? 0 : step);
    if (at >= skip && at < data.size) state.query = at;
    refresh();
  };
}
refresh();
)js";

}  // namespace weft::explain
