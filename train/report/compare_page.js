// The report: language, list of arms, what is drawn again when.

const builders = { difference, curve, cost };
const charts = new Map();
function draw(kinds) {
  Chart.defaults.color = color('--dim');
  Chart.defaults.font.family = 'system-ui, sans-serif';
  for (const canvas of document.querySelectorAll('canvas[data-chart]')) {
    if (kinds && !kinds.includes(canvas.dataset.chart)) continue;
    const old = charts.get(canvas),
      fresh = builders[canvas.dataset.chart](Number(canvas.dataset.number));
    if (old) old.destroy();
    charts.set(canvas, new Chart(canvas, fresh));
  }
}

function keys() {
  const box = document.getElementById('arm-keys');
  if (!box) return;
  const of_curves = ['curve', 'cost'];
  const light = arm => {
    if (lit !== arm && results.arms.length <= 40) {
      lit = arm;
      draw(of_curves);
    }
  };
  box.replaceChildren(
    ...results.arms.map((name, arm) => {
      const button = document.createElement('button');
      button.type = 'button';
      button.setAttribute('aria-pressed', String(!hidden.has(arm)));
      button.innerHTML =
        '<svg width="26" height="8" aria-hidden="true">' +
        '<line x1="1" x2="25" y1="4" y2="4" stroke-width="2.5"/></svg>';
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
    }),
  );
}

function speak(chosen) {
  language = chosen;
  root.lang = chosen === 'zh' ? 'zh-CN' : 'en';
  const button = document.getElementById('language');
  button.textContent = chosen === 'zh' ? 'English' : '中文';
  button.lang = chosen === 'zh' ? 'en' : 'zh-CN';
  for (const element of document.querySelectorAll('[data-en-text]'))
    element.textContent = element.getAttribute('data-' + chosen + '-text');
  for (const name of ['aria-label', 'title'])
    for (const element of document.querySelectorAll('[data-en-' + name + ']'))
      element.setAttribute(name, element.getAttribute('data-' + chosen + '-' + name));
  draw();
}

function repaint() {
  keys();
  draw();
}
document.getElementById('language').hidden = false;
document.getElementById('language').onclick = () => speak(language === 'en' ? 'zh' : 'en');
for (const id of ['cost-task', 'cost-axis'])
  document.getElementById(id).onchange = () => draw(['cost']);
darkness.addEventListener('change', repaint);
addEventListener('beforeprint', () => {
  printing = true;
  repaint();
});
addEventListener('afterprint', () => {
  printing = false;
  repaint();
});
keys();
speak((navigator.language || 'en').toLowerCase().startsWith('zh') ? 'zh' : 'en');
