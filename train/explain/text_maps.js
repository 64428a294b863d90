// Attention over tokens.
const box = document.getElementById('tokens'),
  spans = [];
data.tokens.forEach((token, i) => {
  const span = document.createElement('button');
  span.textContent = token;
  span.setAttribute('role', 'option');
  span.tabIndex = -1;
  span.onmouseenter = () => {
    shown = i;
    paint();
  };
  span.onclick = () => {
    state.query = shown = i;
    refresh();
  };
  box.append(span);
  if (token === '⏎') box.append(document.createElement('br'));
  spans.push(span);
});
state.query = data.tokens.length - 1;
let shown = state.query;
box.onmouseleave = () => {
  shown = state.query;
  paint();
};
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
  const weights = row(state.layer, state.head, shown),
    largest = Math.max(...weights, 1e-9);
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
    for (let k = 0; k < data.size; ++k)
      if (weights[k] >= 0.002) {
        pen.fillStyle = shade(Math.sqrt(weights[k]));
        pen.fillRect(k * cell, q * cell, cell, cell);
      }
  }
}
maps.style.setProperty('--shape', data.size + ' / ' + data.queries);
for (const { l, h, canvas } of canvases) picture(l, h, canvas);
function refresh() {
  mark();
  paint();
}
refresh();
