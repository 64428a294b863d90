// The worked example: Jacobians as pictures and, where small enough, as tables.
const tokens = data.tokens,
  dim = data.dim,
  side = tokens.length * dim;
const flat = arm => arm.jacobian.flatMap(t => t.map(row => row.flat()));
const arms = data.arms.map(arm => {
  const rows = flat(arm);
  return { ...arm, rows: rows, largest: Math.max(...rows.flat().map(Math.abs)) };
});
const maps = document.getElementById('maps'),
  detail = document.getElementById('detail');
const label = n => tokens[Math.floor(n / dim)] + ' ' + ((n % dim) + 1);
const text = (v, arm) =>
  Math.abs(v) <= arm.zero_below ? '0' : Math.abs(v) < 0.0005 ? v.toExponential(0) : v.toFixed(3);

function draw(canvas, arm, pixels) {
  const cell = Math.max(2, Math.floor(pixels / side)),
    gap = Math.max(1, Math.round(cell / 6)),
    step = tokens.length > 1 ? gap : 0;
  const place = n => n * cell + Math.floor(n / dim) * step;
  canvas.width = canvas.height = place(side - 1) + cell;
  const pen = canvas.getContext('2d');
  for (let r = 0; r < side; ++r)
    for (let c = 0; c < side; ++c) {
      const v = arm.rows[r][c];
      if (Math.abs(v) <= arm.zero_below) {
        pen.fillStyle = 'rgb(140 148 160)';
        pen.beginPath();
        pen.arc(place(c) + cell / 2, place(r) + cell / 2, Math.max(0.6, cell / 14), 0, 7);
        pen.fill();
      } else {
        pen.fillStyle = heat(v / arm.largest);
        pen.fillRect(place(c), place(r), cell - (cell > 8 ? 2 : 0), cell - (cell > 8 ? 2 : 0));
      }
    }
  return place;
}

function show(index) {
  const arm = arms[index];
  document
    .querySelectorAll('#maps button')
    .forEach((b, i) => b.setAttribute('aria-pressed', i === index));
  detail.textContent = '';
  const title = document.createElement('h3');
  title.textContent = arm.name;
  detail.append(title);
  if (side > 16) {
    const canvas = document.createElement('canvas'),
      words = document.createElement('p');
    const place = draw(canvas, arm, 1200);
    words.textContent = 'Point at an entry to read it.';
    canvas.onmousemove = e => {
      const at = (position, length) => {
        let n = side - 1;
        while (n > 0 && place(n) > (position / length) * canvas.width) --n;
        return n;
      };
      const r = at(e.offsetY, canvas.clientHeight),
        c = at(e.offsetX, canvas.clientWidth);
      words.textContent =
        'd ' + label(r) + ' / d x ' + label(c) + ' = ' + text(arm.rows[r][c], arm);
    };
    detail.append(canvas, words);
    return;
  }
  const table = document.createElement('table');
  table.className = 'matrix';
  const head = table.insertRow();
  head.insertCell();
  for (let c = 0; c < side; ++c) {
    const edge = c % dim === 0 && c > 0 ? 'edge' : '';
    head.append(
      Object.assign(document.createElement('th'), {
        textContent: 'x ' + label(c),
        scope: 'col',
        className: edge,
      }),
    );
  }
  for (let r = 0; r < side; ++r) {
    const row = table.insertRow();
    if (r % dim === 0 && r > 0) row.className = 'edge';
    row.append(
      Object.assign(document.createElement('th'), {
        textContent: (arm.ffn ? 'FFN(z) ' : 'z ') + label(r),
        scope: 'row',
      }),
    );
    for (let c = 0; c < side; ++c) {
      const cell = row.insertCell(),
        v = arm.rows[r][c],
        zero = Math.abs(v) <= arm.zero_below;
      cell.textContent = text(v, arm);
      cell.className =
        (zero ? 'zero ' : Math.abs(v) > 0.72 * arm.largest ? 'deep ' : '') +
        (c % dim === 0 && c > 0 ? 'edge' : '');
      if (!zero) cell.style.background = heat(v / arm.largest);
    }
  }
  const frame = document.createElement('div');
  frame.className = 'wide';
  frame.append(table);
  detail.append(frame);
}

arms.forEach((arm, index) => {
  const button = document.createElement('button'),
    canvas = document.createElement('canvas'),
    words = document.createElement('span');
  const count = c => c.nonzero + ' of ' + c.of;
  words.append(
    Object.assign(document.createElement('b'), { textContent: arm.name }),
    document.createElement('br'),
    count(arm.cross.within_token) +
      ' within' +
      (tokens.length > 1 ? ', ' + count(arm.cross.between_tokens) + ' across' : ''),
  );
  draw(canvas, arm, 360);
  button.append(canvas, words);
  button.onclick = () => show(index);
  maps.append(button);
});
maps.style.setProperty('--across', arms.length / 3);
show(arms.findIndex(arm => arm.matrices === 'identity' && arm.heads === 1 && !arm.ffn));
