// Draws `charts` with Chart.js.
const ink = getComputedStyle(document.documentElement).getPropertyValue('--dim').trim();
const grid = getComputedStyle(document.documentElement).getPropertyValue('--line').trim();
const palette = [
  '#2f6fde',
  '#e0632e',
  '#1c9c6b',
  '#a44bc9',
  '#c79a12',
  '#d43d63',
  '#159fb0',
  '#7a7f8a',
];
Chart.defaults.color = ink;
Chart.defaults.font.family = 'system-ui, sans-serif';
charts.forEach((chart, i) => {
  const last = Math.max(
    ...chart.series.map(s => (s.points.length ? s.points[s.points.length - 1][0] : 0)),
  );
  const datasets = chart.series.map((s, j) => {
    const color = palette[(chart.series.length - 1 - j) % palette.length] + (s.thin ? '88' : '');
    return {
      label: s.name,
      data: s.points.map(p => ({ x: p[0], y: p[1] })),
      borderColor: color,
      backgroundColor: color,
      clip: 8,
      order: s.thin ? 1 : 0,
      borderWidth: s.thin ? 1 : 2.5,
      borderDash: s.dashed ? [6, 4] : [],
      pointRadius: s.points.length > 40 ? 0 : 3,
      tension: 0,
    };
  });
  const axis = (label, type, more) => ({
    ...more,
    type: type,
    title: { display: true, text: label },
    grid: { color: grid },
  });
  new Chart(document.getElementById('chart' + i), {
    type: 'line',
    data: { datasets: datasets },
    options: {
      animation: false,
      parsing: false,
      maintainAspectRatio: false,
      interaction: { mode: 'nearest', axis: 'x', intersect: false },
      scales: {
        x: axis(chart.x_label, chart.log_x ? 'logarithmic' : 'linear', { max: last }),
        y: axis(chart.y_label, chart.log_y ? 'logarithmic' : 'linear', {}),
      },
    },
  });
});
