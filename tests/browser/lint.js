// The scripts and styles of the pages under Biome (biome.json): how they are written, and what is
// wrong with them. A page runs several files as one script, so names are looked up in the whole.
'use strict';
const assert = require('assert/strict');
const fs = require('fs');
const path = require('path');
const { spawnSync } = require('child_process');
const { build, installed } = require('./browser.js');

const root = path.join(__dirname, '..', '..');
const kPages = {
  charts: ['page/charts.js'],
  compare: ['report/compare_look.js', 'report/compare_charts.js', 'report/compare_page.js'],
  example: ['explain/heat.js', 'explain/example.js'],
  text_maps: ['explain/maps.js', 'explain/text_maps.js'],
  image_maps: ['explain/maps.js', 'explain/image_maps.js'],
};
// What a page says before its script.
const kGiven = ['Chart', 'charts', 'results', 'data'];

function biome(folder, ...words) {
  const program = path.join(installed('@biomejs/biome'), 'bin', 'biome');
  const done = spawnSync(process.execPath, [program, ...words], { cwd: folder, encoding: 'utf8' });
  return { failed: done.status !== 0, said: (done.error ? done.error.message : '') + done.stderr };
}

const inTrain = path.join(root, 'train');
const scripts = fs
  .readdirSync(inTrain, { recursive: true })
  .filter(name => name.endsWith('.js'))
  .map(name => name.split(path.sep).join('/'))
  .sort();
assert.deepEqual(
  scripts,
  [...new Set(Object.values(kPages).flat())].sort(),
  'pages of the scripts',
);

const files = biome(root, 'check', '--error-on-warnings', '.');
assert.ok(!files.failed, files.said);

const folder = path.join(build, 'browser', 'lint');
fs.rmSync(folder, { recursive: true, force: true });
fs.mkdirSync(folder, { recursive: true });
const rules = JSON.parse(fs.readFileSync(path.join(root, 'biome.json'), 'utf8'));
delete rules.overrides;
rules.files = { includes: ['*.js'] };
rules.formatter = { enabled: false };
rules.javascript = { globals: kGiven };
fs.writeFileSync(path.join(folder, 'biome.json'), JSON.stringify(rules));
const whole = parts =>
  parts.map(part => fs.readFileSync(path.join(inTrain, part), 'utf8')).join('');
for (const [name, parts] of Object.entries(kPages))
  fs.writeFileSync(path.join(folder, name + '.js'), whole(parts));
const pages = biome(folder, 'lint', '--error-on-warnings', '.');
assert.ok(!pages.failed, pages.said);

// It finds what it is there for.
const wrong = {
  noUndeclaredVariables: 'hete(0.5);\n',
  noUnusedVariables: 'function lost() {}\n',
  noConsole: 'console.log(1);\n',
  parse: 'const = 3;\n',
};
for (const [rule, line] of Object.entries(wrong)) {
  fs.writeFileSync(path.join(folder, 'wrong.js'), line);
  const found = biome(folder, 'lint', '--error-on-warnings', 'wrong.js');
  assert.ok(found.failed && found.said.includes(rule), rule + ' finds nothing');
}
