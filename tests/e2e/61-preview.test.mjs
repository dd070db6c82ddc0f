// make layout-preview: pictures and a film of a layout, and an address that follows changes.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, cpSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { Browser } from './lib/browser.mjs';
import * as media from './lib/media.mjs';
import { freePort, root, temporaryFolder } from './lib/server.mjs';
import { within } from './lib/wait.mjs';

const tool = path.join(root, 'tests/tools/layout-preview');
const layout = (name) => path.join(root, 'layouts/custom', name);

function run(...words) {
  const child = spawn(process.execPath, [tool, ...words], { stdio: ['ignore', 'pipe', 'pipe'] });
  child.text = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text) => (child.text += text));
  child.ended = once(child, 'exit');
  return child;
}

test('writes a picture for each number of participants, and a film', { timeout: 120000 }, async () => {
  const output = temporaryFolder('pictures');
  const preview = run('-n', '2', '--resolution', '640x360', '-o', output, layout('spotlight'));
  const [code] = await preview.ended;
  assert.equal(code, 0, preview.text);
  assert.doesNotMatch(preview.text, /of no use/);
  const [one, two] = await Promise.all([1, 2].map((n) => media.frameAt(path.join(output, `${n}.png`), 0)));
  const alone = media.tiles(one);
  const both = media.tiles(two);
  assert.ok(alone.red?.width > 600 && !alone.green, JSON.stringify(alone));
  assert.ok(both.red?.x + both.red?.width < 520 && both.green?.x > 500, JSON.stringify(both));
  const film = path.join(output, 'film.mp4');
  const { video, audio, duration } = await media.probe(film);
  assert.deepEqual([video.width, video.height, audio.codec_name], [640, 360, 'aac']);
  assert.ok(Math.abs(duration - 5) < 0.3, `the film lasts ${duration} s`);
  assert.deepEqual(media.heard(await media.sound(film), [500, 700, 900], 2, 3), [500, 700]);
});

test('serves the page to a browser, and loads it again when a file changes', { timeout: 120000 }, async () => {
  const folder = path.join(temporaryFolder('serve'), 'mine');
  cpSync(layout('spotlight'), folder, { recursive: true });
  const preview = run('--serve', '-n', '1', '--port', String(await freePort()), folder);
  let browser;
  try {
    const url = await within(30, 'the address is printed', () => /^open: (\S+)$/m.exec(preview.text)?.[1]);
    browser = await Browser.launch();
    const context = await browser.chromium.newContext({ ignoreHTTPSErrors: true });
    const page = await context.newPage();
    await page.goto(url);
    const plays = () => page.evaluate(() => document.querySelector('#big video')?.videoWidth);
    assert.equal(await within(20, 'the participant is seen', plays), 640);
    await page.evaluate(() => (window.isOld = true));
    appendFileSync(path.join(folder, 'index.html'), '<p id="added">changed</p>\n');
    await within(10, 'the page is loaded again', () =>
      page.evaluate(() => !window.isOld && document.getElementById('added') !== null).catch(() => false));
    await within(20, 'the participant is seen again', plays);
  } finally {
    await browser?.close();
    preview.kill('SIGTERM');
    await preview.ended;
  }
});

test('says what is missing', async () => {
  const preview = run(temporaryFolder('empty'));
  const [code] = await preview.ended;
  assert.equal(code, 1);
  assert.match(preview.text, /the folder must hold an index\.html/);
});
