// What the browser tests share: Debian's Chromium, driven by
// playwright-core, which is installed into the build folder at its first use, as the linter is.
'use strict';
const assert = require('assert/strict');
const fs = require('fs');
const os = require('os');
const path = require('path');
const { pathToFileURL } = require('url');
const { spawnSync } = require('child_process');

const build = process.env.WEFT_BINARY_DIR;
const kSkipped = 77; // what ctest takes for "not run", never for "passed"

function cannot(why) {
  console.error('browser tests: ' + why);
  process.exit(process.env.CI ? 1 : kSkipped);
}

// The folder of a package that package.json names, installed where it is not.
function installed(name) {
  const folder = path.join(build, 'browser');
  const at = one => path.join(folder, 'node_modules', one);
  const wanted = JSON.parse(
    fs.readFileSync(path.join(__dirname, 'package.json'), 'utf8'),
  ).devDependencies;
  const version = one => {
    try {
      return JSON.parse(fs.readFileSync(path.join(at(one), 'package.json'), 'utf8')).version;
    } catch {
      return '';
    }
  };
  const missing = () => Object.keys(wanted).filter(one => version(one) !== wanted[one]);
  if (missing().length > 0) {
    fs.mkdirSync(folder, { recursive: true });
    for (const file of ['package.json', 'package-lock.json'])
      fs.copyFileSync(path.join(__dirname, file), path.join(folder, file));
    const done = spawnSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], {
      cwd: folder,
      encoding: 'utf8',
    });
    if (missing().length > 0)
      cannot(
        missing().join(', ') +
          ' could not be installed: ' +
          (done.error ? done.error.message : done.stderr),
      );
  }
  return at(name);
}

async function launch() {
  const options = { executablePath: process.env.WEFT_CHROMIUM, timeout: 0, args: [] };
  if (os.userInfo().uid === 0) options.args.push('--no-sandbox'); // Chromium's sandbox refuses root
  try {
    return await require(installed('playwright-core')).chromium.launch(options);
  } catch (error) {
    return cannot('Chromium does not start: ' + error.message);
  }
}

// A page of a file; what it complains of is gathered, so that tests can say there is nothing.
async function openPage(browser, file, settings) {
  const context = await browser.newContext(
    Object.assign({ viewport: { width: 1280, height: 900 }, locale: 'en-US' }, settings),
  );
  context.setDefaultTimeout(0);
  const page = await context.newPage();
  page.complaints = [];
  page.on('console', message => {
    if (['error', 'warning'].includes(message.type())) page.complaints.push(message.text());
  });
  page.on('pageerror', error => page.complaints.push(error.message));
  page.on('request', request => {
    if (!request.url().startsWith('file:')) page.complaints.push('asked for ' + request.url());
  });
  await page.goto(pathToFileURL(file).href);
  return page;
}

async function shut(page) {
  assert.deepEqual(page.complaints, []);
  await page.context().close();
}

// How many pixels of each chart are painted.
const painted = page =>
  page.$$eval('canvas', canvases =>
    canvases.map(canvas => {
      if (canvas.width === 0 || canvas.height === 0) return 0;
      const bytes = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
      let count = 0;
      for (let i = 3; i < bytes.length; i += 4) if (bytes[i] > 0) ++count;
      return count;
    }),
  );

module.exports = { build, installed, launch, openPage, shut, painted };
