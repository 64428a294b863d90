// Attention weights, and the grid of layers and heads. The page's own script (text_maps.js,
// image_maps.js) defines refresh().
const shade = share => 'rgb(45 105 210 / ' + share.toFixed(3) + ')';
const bytes = text => Uint8Array.from(atob(text), c => c.charCodeAt(0));
const packed = bytes(data.weights);
const weight = (l, h, q, k) => {
  const i = ((l * data.heads + h) * data.queries + (data.queries === 1 ? 0 : q)) * data.size + k;
  return (packed[2 * i] | (packed[2 * i + 1] << 8)) / 65535;
};
/// Weights of all keys from one query, or (query -1) their mean over the queries.
const row = (l, h, query) => {
  const sums = new Array(data.size).fill(0);
  const queries = query >= 0 ? [query] : [...Array(data.queries).keys()];
  for (const q of queries)
    for (let k = 0; k < data.size; ++k) sums[k] += weight(l, h, q, k) / queries.length;
  return sums;
};
const state = { layer: 0, head: 0, query: -1 };
const maps = document.getElementById('maps'),
  words = document.getElementById('words');
maps.style.setProperty('--heads', data.heads);
const canvases = [];
for (let l = 0; l < data.layers; ++l) {
  maps.append(
    Object.assign(document.createElement('div'), {
      className: 'layer',
      textContent: 'layer ' + (l + 1),
    }),
  );
  for (let h = 0; h < data.heads; ++h) {
    const button = document.createElement('button'),
      canvas = document.createElement('canvas');
    button.setAttribute('aria-label', 'layer ' + (l + 1) + ', head ' + (h + 1));
    button.append(canvas, 'head ' + (h + 1));
    button.onclick = () => {
      state.layer = l;
      state.head = h;
      refresh();
    };
    maps.append(button);
    canvases.push({ l, h, canvas, button });
  }
}
function mark() {
  for (const { l, h, button } of canvases)
    button.setAttribute('aria-pressed', l === state.layer && h === state.head);
}
function tell(from) {
  const weights = row(state.layer, state.head, state.query);
  const best = [...weights.keys()]
    .sort((a, b) => weights[b] - weights[a])
    .slice(0, 5)
    .filter(k => weights[k] >= 0.0005);
  words.textContent =
    'Layer ' +
    (state.layer + 1) +
    ', head ' +
    (state.head + 1) +
    ', from ' +
    from +
    ': ' +
    best.map(k => data.tokens[k] + ' ' + weights[k].toFixed(3)).join(', ') +
    '.';
}
