// What the browser tests share: Debian's Chromium, driven by playwright-core, which is installed into the build folder at its first use.
'use strict';
const fs = require('fs');
const os = require('os');
const path = require('path');
const { spawnSync } = require('child_process');

const build = process.env.WEFT_BINARY_DIR;
const kSkipped = 77; // what ctest takes for "not run", never for "passed"

function cannot(why) {
  console.error('browser tests: ' + why);
  process.exit(process.env.CI ? 1 : kSkipped);
}

function playwright() {
  const folder = path.join(build, 'browser');
  const wanted = JSON.parse(fs.readFileSync(path.join(__dirname, 'package.json'), 'utf8')).devDependencies['playwright-core'];
  const installed = path.join(folder, 'node_modules', 'playwright-core');
  const version = () => { try { return JSON.parse(fs.readFileSync(path.join(installed, 'package.json'), 'utf8')).version; } catch { return ''; } };
  if (version() !== wanted) {
    fs.mkdirSync(folder, { recursive: true });
    for (const file of ['package.json', 'package-lock.json']) fs.copyFileSync(path.join(__dirname, file), path.join(folder, file));
    const done = spawnSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: folder, encoding: 'utf8' });
    if (version() !== wanted) cannot('playwright-core could not be installed: ' + (done.error ? done.error.message : done.stderr));
  }
  return require(installed);
}

async function launch() {
  const options = { executablePath: process.env.WEFT_CHROMIUM, timeout: 0, args: [] };
  if (os.userInfo().uid === 0) options.args.push('--no-sandbox'); // Chromium's sandbox refuses root
  try {
    return await playwright().chromium.launch(options);
  } catch (error) {
    return cannot('Chromium does not start: ' + error.message);
  }
}

module.exports = { build, launch };
