// What `weft explain` draws, in a real browser: of the worked example, and of tiny runs
// that are trained for it.
'use strict';
const assert = require('assert/strict');
const fs = require('fs');
const path = require('path');
const { execFileSync } = require('child_process');
const { build, launch, openPage, shut, painted } = require('./browser.js');

const folder = path.join(build, 'browser', 'explain');
const weft = (...words) =>
  execFileSync(path.join(build, 'weft'), words, { stdio: ['ignore', 'ignore', 'pipe'] });
const at = name => path.join(folder, name);
const train = (kind, name, ...flags) =>
  weft('train', kind, ...flags, '--threads', '2', '--no-estimate', '--out', at(name));

(async () => {
  fs.rmSync(folder, { recursive: true, force: true });
  fs.mkdirSync(folder, { recursive: true });
  fs.writeFileSync(at('text.txt'), 'the cat <b>sat</b> on "the" mat & \'so\' on. '.repeat(60));
  train(
    'text',
    'text',
    '--data',
    at('text.txt'),
    '--layers',
    '2',
    '--heads',
    '2',
    '--width',
    '16',
    '--context',
    '16',
    '--batch',
    '3',
    '--steps',
    '3',
  );
  train(
    'vision',
    'vision',
    '--data',
    'mnist',
    '--layers',
    '2',
    '--heads',
    '2',
    '--width',
    '16',
    '--train-share',
    '0.002',
    '--batch',
    '16',
    '--epochs',
    '1',
    '--no-test',
  );
  train('embedding', 'embedding', '--data', at('text.txt'), '--width', '8', '--steps', '3');
  train(
    'recommend',
    'din',
    '--model',
    'din',
    '--users',
    '40',
    '--items',
    '30',
    '--topics',
    '5',
    '--interests',
    '2',
    '--history',
    '8',
    '--events',
    '16',
    '--batch',
    '64',
    '--epochs',
    '1',
  );
  weft('explain', 'attention', '--out', at('example.html'));
  weft('explain', 'attention', at('text'), '--out', at('text.html'));
  weft('explain', 'attention', at('vision'), '--out', at('vision.html'));
  weft('explain', 'embedding', at('embedding'), '--out', at('embedding.html'));
  weft('explain', 'history', at('din'), '--out', at('din.html'));

  const browser = await launch();
  try {
    for (const name of ['example', 'embedding', 'din', 'text', 'vision']) {
      const page = await openPage(browser, at(name + '.html'));
      assert.ok((await page.innerText('body')).length > 100, name + ' is empty');
      if (name === 'text' || name === 'vision') {
        const counts = await painted(page);
        assert.ok(counts.length >= 4, `${name}: ${counts.length} maps of 2 layers with 2 heads`);
        for (const count of counts) assert.ok(count > 50, `${name}: a map is blank: ${counts}`);
        // Another head tells of itself.
        const said = () =>
          page.evaluate(
            () => document.body.innerText.match(/Layer \d, head \d, from [^:]*: .*/)[0],
          );
        const before = await said();
        const buttons = await page.$$('button[aria-pressed]');
        await buttons[buttons.length - 1].click();
        assert.match(await said(), /^Layer 2, head 2, from /);
        assert.notEqual(await said(), before);
      }
      await shut(page);
    }
  } finally {
    await browser.close();
  }
})().catch(error => {
  console.error(error);
  process.exit(1);
});
