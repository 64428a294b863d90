// Attention over patches of a picture.
const columns = data.width / data.patch,
  rows = data.height / data.patch,
  skip = data.classToken ? 1 : 0;
const pixels = bytes(data.pixels),
  area = data.height * data.width;
const light = i =>
  data.channels === 1
    ? pixels[i] / 255
    : (0.299 * pixels[i] + 0.587 * pixels[area + i] + 0.114 * pixels[2 * area + i]) / 255;
maps.style.setProperty('--shape', columns + ' / ' + rows);
const large = document.getElementById('large'),
  choices = document.getElementById('choices');
large.style.setProperty('--shape', columns + ' / ' + rows);
const readsClass = skip && data.queries > 1;
state.query = readsClass ? 0 : -1;
let shown = state.query;

/// Shades under the picture, whose light parts are drawn as gray ink (a photograph: the picture
/// under the shades).
function picture(l, h, canvas, side) {
  const scale = Math.max(1, Math.floor(side / data.width)),
    pen = canvas.getContext('2d'),
    photo = data.channels === 3;
  canvas.width = data.width * scale;
  canvas.height = data.height * scale;
  const ink = () => {
    for (let i = 0; i < area; ++i) {
      const v = light(i);
      pen.fillStyle = photo
        ? 'rgb(' + [v, v, v].map(c => Math.round(255 * c)).join(' ') + ')'
        : 'rgb(110 118 130 / ' + (0.8 * v).toFixed(3) + ')';
      if (photo || v > 0.02)
        pen.fillRect((i % data.width) * scale, Math.floor(i / data.width) * scale, scale, scale);
    }
  };
  if (photo) ink();
  const weights = row(l, h, shown).slice(skip),
    largest = Math.max(...weights, 1e-9),
    step = data.patch * scale;
  weights.forEach((w, k) => {
    pen.fillStyle = shade(w / largest);
    if (w > 0) pen.fillRect((k % columns) * step, Math.floor(k / columns) * step, step, step);
  });
  if (!photo) ink();
  const at = shown - skip;
  if (at < 0) return;
  pen.strokeStyle = 'rgb(191 82 20)';
  pen.lineWidth = Math.max(2, scale / 3);
  pen.strokeRect(
    (at % columns) * step + pen.lineWidth / 2,
    Math.floor(at / columns) * step + pen.lineWidth / 2,
    step - pen.lineWidth,
    step - pen.lineWidth,
  );
}
function paint() {
  for (const { l, h, canvas } of canvases) picture(l, h, canvas, 84);
  picture(state.layer, state.head, large, 448);
  choices
    .querySelectorAll('button')
    .forEach(b => b.setAttribute('aria-pressed', Number(b.value) === shown));
  const kept = state.query;
  state.query = shown;
  tell(shown < 0 ? 'all patches (mean)' : data.tokens[shown]);
  state.query = kept;
}
function refresh() {
  mark();
  shown = state.query;
  paint();
}
for (const [name, query] of [
  ['mean over all patches', -1],
  ...(readsClass ? [['class token', 0]] : []),
]) {
  const button = Object.assign(document.createElement('button'), {
    textContent: name,
    value: query,
  });
  button.onclick = () => {
    state.query = query;
    refresh();
  };
  choices.append(button);
}
const under = e => {
  const c = Math.floor((e.offsetX / large.clientWidth) * columns),
    r = Math.floor((e.offsetY / large.clientHeight) * rows);
  return (
    skip + Math.min(rows - 1, Math.max(0, r)) * columns + Math.min(columns - 1, Math.max(0, c))
  );
};
if (data.queries > 1) {
  large.onmousemove = e => {
    const at = under(e);
    if (at !== shown) {
      shown = at;
      paint();
    }
  };
  large.onmouseleave = () => {
    shown = state.query;
    paint();
  };
  large.onclick = e => {
    state.query = under(e);
    refresh();
  };
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
