// The report of `weft compare` in a real browser.
// tests/report/test_browser_pages.cpp has written the figures; `weft report` makes the pages.
'use strict';
const assert = require('assert/strict');
const fs = require('fs');
const path = require('path');
const { execFileSync } = require('child_process');
const { build, launch, openPage, shut, painted } = require('./browser.js');

const folder = name => path.join(build, 'browser', name);
const minus = text => text.replace('\u2212', '-');

const open = (browser, name, settings) =>
  openPage(browser, path.join(folder(name), 'report.html'), settings);

async function charts_are_drawn(page, expected) {
  const counts = await painted(page);
  assert.equal(counts.length, expected, 'number of charts');
  for (const count of counts) assert.ok(count > 500, 'a chart is blank: ' + counts);
}

async function no_sideways_scroll(page) {
  const [needed, there] = await page.evaluate(() => [
    document.documentElement.scrollWidth,
    document.documentElement.clientWidth,
  ]);
  assert.ok(needed <= there, `the page is ${needed} wide on a screen of ${there}`);
}

// Every mean, interval and difference that the page shows is the one of results.json, and is shown
// rounded, not otherwise.
async function figures_agree(page, results) {
  const rows = await page.$$eval('#matrix tbody tr', trs =>
    trs.map(tr => ({
      arm: tr.querySelector('th code').textContent,
      cells: [...tr.querySelectorAll('td')].map(td =>
        [...td.querySelectorAll('data')].map(data => [data.value, data.textContent]),
      ),
    })),
  );
  assert.deepEqual(
    rows.map(row => row.arm),
    results.arms.map(arm => arm.name),
  );
  let checked = 0;
  const check = ([value, text], wanted) => {
    assert.equal(Number(value), wanted);
    const digits = (text.split('.')[1] || '').length;
    assert.ok(
      Math.abs(Number(minus(text)) - wanted) <= 0.5000001 * 10 ** -digits,
      `${text} is shown for ${wanted}`,
    );
    ++checked;
  };
  for (const cell of results.cells) {
    const row = rows.find(one => one.arm === cell.arm),
      column = results.tasks.findIndex(task => task.name === cell.task);
    const [mean, low, high] = row.cells[column];
    check(mean, cell.mean);
    if (cell.interval[0] !== null) {
      check(low, cell.interval[0]);
      check(high, cell.interval[1]);
    }
  }
  const differences = await page.$$eval('figure.contrast', figures =>
    figures.map(figure =>
      [...figure.querySelectorAll('dl data')].map(data => [data.value, data.textContent]),
    ),
  );
  results.contrasts.forEach((contrast, i) => {
    check(differences[i][0], contrast.difference);
    check(differences[i][1], contrast.interval[0]);
    check(differences[i][2], contrast.interval[1]);
  });
  assert.ok(checked >= results.cells.length);
}

// Contrast of each text in the matrix with its ground, as WCAG 2 defines it.
async function text_can_be_read(page) {
  const worst = await page.evaluate(() => {
    const light = text => {
      const [r, g, b] = text
        .match(/[\d.]+/g)
        .slice(0, 3)
        .map(v => {
          const c = v / 255;
          return c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
        });
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const ground = element => {
      for (let e = element; e; e = e.parentElement) {
        const c = getComputedStyle(e).backgroundColor;
        if (c !== 'rgba(0, 0, 0, 0)') return c;
      }
      return 'rgb(255, 255, 255)';
    };
    let least = 21;
    for (const element of document.querySelectorAll(
      '#matrix td, #matrix td *, #matrix th, p, dt, .badge, .holds, .failed, .notice, ' +
        '.keys button, a',
    )) {
      if (!element.offsetParent) continue;
      const [a, b] = [light(getComputedStyle(element).color), light(ground(element))].sort(
        (x, y) => y - x,
      );
      least = Math.min(least, (a + 0.05) / (b + 0.05));
    }
    return least;
  });
  assert.ok(worst >= 4.5, `a text has a contrast of ${worst.toFixed(2)} only`);
}

const visible_text = page => page.evaluate(() => document.querySelector('main').innerText);
const language = page => page.evaluate(() => document.documentElement.lang);

const tests = {
  async 'a whole comparison: charts, figures, no complaints'(browser) {
    const results = JSON.parse(fs.readFileSync(path.join(folder('whole'), 'results.json')));
    const page = await open(browser, 'whole');
    await charts_are_drawn(page, results.contrasts.length + results.tasks.length + 1);
    await figures_agree(page, results);
    await no_sideways_scroll(page);
    await text_can_be_read(page);
    assert.equal(await page.locator('.verdicts li').count(), results.contrasts.length);
    assert.equal(await page.locator('#matrix caption').count(), 1);
    assert.equal(
      await page.locator('#matrix thead th[scope=col]').count(),
      1 + results.tasks.length,
    );
    assert.equal(await page.locator('#matrix tbody th[scope=row]').count(), results.arms.length);
    await shut(page);
  },

  async 'the language follows the browser, and the switch'(browser) {
    const page = await open(browser, 'whole');
    assert.equal(await language(page), 'en');
    assert.match(await visible_text(page), /Verdicts/);
    assert.doesNotMatch(await visible_text(page), /[\u4e00-\u9fff]/, 'Chinese on the English page');
    const english = await page.locator('#difference-0').getAttribute('aria-label');
    await page.click('#language');
    assert.equal(await language(page), 'zh-CN');
    const bibliography = await page.locator('pre.bibtex').textContent();
    const chinese = (await visible_text(page)).replace(bibliography.trim(), '');
    assert.match(chinese, /结论/);
    // What is left of Latin words are names, units and terms.
    const terms = new RegExp(
      '\\b(mlp|fm|cnn|xcit|W_[QKV]|FFN|softmax|MiB|BCa|JSON|results\\.json|Vaswani|' +
        'Fisher|Holm|Hartigan|Schuirmann|alpha|BibTeX|' +
        'FT-Transformer|weft|train|tokens|nan|p|a|b|k|M|G)\\b',
      'g',
    );
    const names = new RegExp(
      '\\b(' +
        (await page.evaluate(() =>
          results.arms
            .concat(results.tasks.map(task => task.name))
            .sort((p, q) => q.length - p.length)
            .join('|'),
        )) +
        ')\\b',
      'g',
    );
    assert.deepEqual(
      chinese
        .replace(names, '')
        .replace(terms, '')
        .match(/[A-Za-z]{2,}/g) || [],
      [],
    );
    assert.notEqual(await page.locator('#difference-0').getAttribute('aria-label'), english);
    assert.equal(await page.locator('#cost-axis option').first().textContent(), '参数量');
    await charts_are_drawn(page, 13);
    await no_sideways_scroll(page);
    await page.click('#language');
    assert.equal(await language(page), 'en');
    await shut(page);

    const reader = await open(browser, 'whole', { locale: 'zh-CN' });
    assert.equal(await language(reader), 'zh-CN');
    await shut(reader);
  },

  async 'a telephone, dark'(browser) {
    const page = await open(browser, 'whole', {
      viewport: { width: 390, height: 800 },
      colorScheme: 'dark',
    });
    await no_sideways_scroll(page);
    await text_can_be_read(page);
    await charts_are_drawn(page, 13);
    assert.ok(
      await page.evaluate(() => {
        const box = document.querySelector('#matrix').parentElement;
        return box.scrollWidth > box.clientWidth;
      }),
      'the matrix scrolls in its box',
    );
    await page.evaluate(() =>
      document.querySelectorAll('details').forEach(one => {
        one.open = true;
      }),
    );
    await no_sideways_scroll(page);
    await shut(page);
  },

  async 'arms and axes can be chosen'(browser) {
    const page = await open(browser, 'whole');
    const figure = () => page.evaluate(() => document.getElementById('cost').toDataURL());
    let before = await figure();
    for (const axis of ['training_flops', 'seconds', 'peak_mib', 'forward_flops']) {
      await page.selectOption('#cost-axis', axis);
      const after = await figure();
      assert.notEqual(after, before, axis);
      before = after;
    }
    await page.selectOption('#cost-task', '1');
    assert.notEqual(await figure(), before);
    before = await figure();
    await page.click('#arm-keys button >> nth=2');
    assert.equal(await page.getAttribute('#arm-keys button >> nth=2', 'aria-pressed'), 'false');
    assert.notEqual(await figure(), before);
    await page.emulateMedia({ colorScheme: 'dark' });
    await charts_are_drawn(page, 13);
    await shut(page);
  },

  async 'a comparison that is not finished shows what is there'(browser) {
    const page = await open(browser, 'unfinished');
    const text = await page.evaluate(() => document.body.innerText);
    assert.match(text, /Not finished: 470 of 576 runs/);
    assert.match(text, /1 of 8 failed/);
    assert.match(text, /4 of 8 seeds/);
    assert.match(text, /Controls that do not hold/);
    await no_sideways_scroll(page);
    await text_can_be_read(page);
    await shut(page);
  },

  async 'names that want to break out do not'(browser) {
    const page = await open(browser, 'hostile', { viewport: { width: 390, height: 800 } });
    assert.equal(await page.locator('img').count(), 0);
    assert.notEqual(await page.title(), 'broken');
    assert.equal(await page.locator('script').count(), 2);
    await charts_are_drawn(page, 13);
    await no_sideways_scroll(page);
    await shut(page);
  },

  async 'two hundred arms'(browser) {
    const page = await open(browser, 'many');
    assert.equal(await page.locator('#matrix tbody tr').count(), 200);
    await charts_are_drawn(page, 13);
    await no_sideways_scroll(page);
    await shut(page);
  },

  async 'on paper'(browser) {
    const page = await open(browser, 'whole', { colorScheme: 'dark' });
    await page.emulateMedia({ media: 'print' });
    await text_can_be_read(page);
    const paper = await page.pdf({
      format: 'A4',
      margin: { top: '15mm', bottom: '15mm', left: '15mm', right: '15mm' },
    });
    fs.writeFileSync(path.join(folder('whole'), 'report.pdf'), paper);
    assert.ok(paper.length > 50000);
    await shut(page);
  },
};

(async () => {
  for (const name of ['whole', 'unfinished', 'hostile', 'many'])
    execFileSync(path.join(build, 'weft'), ['report', folder(name)]);
  const browser = await launch();
  let failed = 0;
  for (const [name, test] of Object.entries(tests)) {
    try {
      await test(browser);
      console.log('passed: ' + name);
    } catch (error) {
      ++failed;
      console.log('FAILED: ' + name + '\n' + error.stack);
    }
  }
  await browser.close();
  console.log(`${Object.keys(tests).length - failed} passed, ${failed} failed`);
  process.exit(failed === 0 ? 0 : 1);
})();
