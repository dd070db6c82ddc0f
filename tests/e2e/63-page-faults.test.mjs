// Recordings of web pages that fail, and of pages that want more than they may.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmodSync, mkdirSync, readFileSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import path from 'node:path';
import * as media from './lib/media.mjs';
import { palette } from './lib/palette.mjs';
import { Server, build, isRunning, temporaryFolder } from './lib/server.mjs';
import { Stage } from './lib/suite.mjs';
import { record, within } from './lib/wait.mjs';

const layouts = temporaryFolder('layouts');

function addLayout(name, page, settings = '') {
  mkdirSync(path.join(layouts, name), { recursive: true });
  writeFileSync(path.join(layouts, name, 'index.html'), `<!doctype html><link rel="icon" href="data:,">${page}`);
  writeFileSync(path.join(layouts, name, 'layout.ini'), `[layout]\n${settings}\n`);
}

/** A page that joins and calls onStream with each stream. */
const joining = (onStream) => `<script src="openvidu-browser-2.32.2.min.js"></script><script>
  const url = new URL(location.href);
  const secret = url.searchParams.get('secret');
  const session = new OpenVidu().initSession();
  session.on('streamCreated', ({ stream }) => { ${onStream} });
  session.connect('wss://' + location.host + '?sessionId=' + url.searchParams.get('sessionId') + '&secret=' + secret + '&recorder=true');
</script>`;

const impatient = 'ready-timeout-ms = 4000';
addLayout('broken', '<script src="no-such-library.js"></script><script>new OpenVidu();</script>', impatient);
addLayout('blank', `<div id="videos"></div>${joining('')}`, impatient);
addLayout('loop', `${joining('')}<script>for (;;);</script>`, 'ready-timeout-ms = 7000');

const other = createServer((request, response) => response.end('closed'));
const hits = [];
other.on('connection', () => hits.push(Date.now()));
await once(other.listen(0, '127.0.0.1'), 'listening');
other.unref();
addLayout('burglar', `<div id="videos"></div>${joining("session.subscribe(stream, 'videos');")}<script>
  const attempt = (name, what) => what.then((x) => console.log(name, 'worked', x), () => console.log(name, 'failed'));
  // Where a password is asked for, nobody answers.
  const ask = (address, options) => fetch(address, { signal: AbortSignal.timeout(3000), ...options }).then(({ status }) => status);
  const headers = { Authorization: 'Basic ' + btoa('OPENVIDUAPP:' + secret) };
  attempt('own', ask('index.html'));
  attempt('REST', ask('/openvidu/api/sessions', { headers }));
  attempt('stop', ask('/openvidu/api/recordings/stop/x', { method: 'POST', headers }));
  attempt('cookie', ask('/openvidu/api/sessions'));
  attempt('port', fetch('http://127.0.0.1:${other.address().port}/'));
  attempt('file', fetch('file:///etc/passwd'));
  const popup = window.open('about:blank');
  const timer = setInterval(() => {
    if (popup && !popup.closed) return;
    clearInterval(timer);
    console.log('no popup');
  }, 50);
</script>`);

// The customer's page on a server of its own: green, and what is published beside it.
const elsewhere = createServer((request, response) => {
  const { pathname } = new URL(request.url, 'http://a');
  if (pathname === '/library.js')
    return response.end(readFileSync(path.join(build, 'openvidu-browser/openvidu-browser-2.32.2.min.js')));
  return response.end(`<!doctype html><link rel="icon" href="data:,"><style>html { background: rgb(${palette.green}); }
    body { margin: 0; } video { display: block; width: 320px; height: 240px; }</style><div id="videos"></div>
    ${joining("session.subscribe(stream, 'videos');").replace(/src="[^"]*"/, 'src="/library.js"')
    .replace('location.host', `'localhost:${stage.server.port}'`)}`);
});
await once(elsewhere.listen(0, '127.0.0.1'), 'listening');
elsewhere.unref();
const address = `http://127.0.0.1:${elsewhere.address().port}`;
const options = temporaryFolder('options');
writeFileSync(path.join(options, 'custom_subfolder.ini'), `[custom_subfolder]\nallow = https://layouts.example.com ${address}/page\n`);

const stage = new Stage({
  name: 'page-faults',
  settings: { 'openvidu.recording.custom-layout': layouts, 'plugins.config-directory': options },
});
const small = { width: 160, height: 120 };
const properties = { recordingLayout: 'CUSTOM', resolution: '640x360', frameRate: 10, name: 'page' };

const file = (recording) => path.join(stage.server.recordings, recording.id, `${recording.name}.mp4`);
const told = async (id) => (await stage.rest.get(`/recto/api/v1/recordings/${id}`)).expect(200).json;

/** All processes below one, from /proc: [{ pid, line }] */
function descendantsOf(root) {
  const parents = new Map();
  for (const entry of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const stat = readFileSync(`/proc/${entry}/stat`, 'utf8');
      parents.set(Number(entry), Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]));
    } catch {
      // gone between the listing and the look
    }
  }
  const isBelow = (pid) => pid === root || (parents.has(pid) && isBelow(parents.get(pid)));
  return [...parents].filter(([pid, parent]) => isBelow(parent)).map(([pid]) => {
    try {
      return { pid, line: readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ') };
    } catch {
      return { pid, line: '' };
    }
  });
}

stage.test('fall back to the native layout, and say why', async () => {
  const session = await stage.session();
  await stage.enter(session, { colour: 'blue', tone: 500, ...small });
  for (const [customLayout, reason] of [
    ['broken', /did not join the session.*OpenVidu is not defined/],
    ['blank', /shows nothing but one colour/],
    ['loop', /did not answer, 7000 ms after it was opened/],
  ]) {
    const started = await stage.startRecording(session, { ...properties, customLayout });
    await record(2);
    const stopped = await stage.stopRecording(started.id);
    assert.equal(stopped.status, 'ready');
    const notes = (await told(started.id)).notes.join('\n');
    assert.match(notes, reason);
    assert.match(notes, /BEST_FIT/);
    const { blue } = media.tiles(await media.frameAt(file(stopped), stopped.duration - 0.5));
    assert.ok(blue?.width > 600, `${customLayout}: ${JSON.stringify(blue)}`);
    assert.deepEqual(media.heard(await media.sound(file(stopped)), [500, 900], stopped.duration - 1, stopped.duration), [500]);
  }
}, { seconds: 240 });

stage.test('show a page of another server, where the ini allows it', async () => {
  const session = await stage.session();
  await stage.enter(session, { colour: 'blue', tone: 500, ...small });
  for (const refused of [`${address}/other`, `${address}/page/../other`, 'http://localhost:1/page', 'https://layouts.example.com.invalid/'])
    assert.equal((await stage.rest.post('/openvidu/api/recordings/start',
      { session, ...properties, customLayout: refused })).status, 400, refused);
  const started = await stage.startRecording(session, { ...properties, customLayout: `${address}/page/live?theme=dark` });
  await record(2);
  const stopped = await stage.stopRecording(started.id);
  assert.deepEqual((await told(started.id)).notes.filter((note) => !/repeated/.test(note)), []);
  const { green, blue } = media.tiles(await media.frameAt(file(stopped), stopped.duration - 0.5));
  assert.ok(green?.width > 630 && Math.abs(blue?.width - 320) < 8 && blue.x < 8, JSON.stringify({ green, blue }));
  assert.deepEqual(media.heard(await media.sound(file(stopped)), [500, 900], stopped.duration - 1, stopped.duration), [500]);
}, { seconds: 240 });

stage.test('are refused while the browser cannot be used, and recorded as soon as it can', async () => {
  const program = path.join(options, 'browser');
  const write = (script) => {
    writeFileSync(`${program}.new`, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    chmodSync(`${program}.new`, 0o755);
    renameSync(`${program}.new`, program);
  };
  chmodSync(options, 0o755);
  const refuses = async (reason, settings) => {
    const server = await Server.start({
      name: 'no-browser', settings: { 'openvidu.recording.custom-layout': layouts, 'browser.program': program, ...settings },
    });
    try {
      await within(60, 'the log tells of it', () => reason.test(server.log()));
      assert.match(server.log(), /custom layouts cannot be recorded.*install the package chromium/);
      const session = (await server.rest.post('/openvidu/api/sessions', {})).expect(200).json.id;
      const { token } = (await server.rest.post(`/openvidu/api/sessions/${session}/connection`, {})).expect(200).json;
      const guest = await stage.browser.open({});
      await guest.join(token);
      const start = (more) => server.rest.post('/openvidu/api/recordings/start', { session, ...properties, ...more });
      const refused = await start({ customLayout: 'burglar' });
      assert.equal(refused.status, 501, refused.text);
      assert.match(refused.json.message, reason);
      assert.match(refused.json.message, /install the package chromium/);
      const native = (await start({ recordingLayout: 'BEST_FIT' })).expect(200).json;
      assert.equal((await server.rest.post(`/openvidu/api/recordings/stop/${native.id}`)).expect(200).json.status, 'ready');
      if (settings['browser.check-timeout-ms'] < 10000)
        return;
      write(`exec ${process.env.CHROMIUM ?? 'chromium'} "$@"`);
      const page = await within(60, 'the page is recorded', async () => {
        const answer = await start({ customLayout: 'burglar' });
        return answer.status !== 501 && answer.expect(200).json;
      });
      await server.rest.post(`/openvidu/api/recordings/stop/${page.id}`);
      assert.match(server.log(), /the browser works again/);
    } finally {
      assert.deepEqual(await server.stop(), { code: 0, signal: null }, server.log());
    }
  };
  write('exec sleep 1000');
  await refuses(/does not answer \(browser\.check-timeout-ms\)/, { 'browser.check-timeout-ms': 2000 });
  write('echo "a library is missing" >&2; exit 1');
  await refuses(/exited with status 1; its last words: a library is missing/, { 'browser.check-timeout-ms': 60000 });
}, { seconds: 240 });

stage.test('keep a page where it belongs, open it anew when it crashes, and leave no browser behind', async () => {
  const session = await stage.session();
  await stage.enter(session, { colour: 'green', tone: 500, ...small });
  const started = await stage.startRecording(session, { ...properties, customLayout: 'burglar' });
  const says = (line) => within(20, `the page's console says "${line}"`, () => stage.server.log().includes(line));
  for (const line of ['own worked 200', 'REST ', 'stop ', 'cookie ', 'port failed', 'file failed', 'no popup'])
    await says(`'log: ${line}`);
  assert.doesNotMatch(stage.server.log(), /'log: (REST|stop|cookie) worked (?!401)/);
  assert.deepEqual(hits, [], 'another port was reached');

  const worker = stage.server.workerOf(started.id);
  const renderers = descendantsOf(worker.pid).filter(({ line }) => line.includes('--type=renderer'));
  assert.ok(renderers.length >= 2, 'its page and the window beside it');
  for (const { pid } of renderers)
    process.kill(pid, 'SIGKILL');
  const notes = await within(100, 'the page is back', async () => {
    const all = (await told(started.id)).notes.join('\n');
    return /loaded anew.*from \d/s.test(all) && all;
  });
  assert.match(notes, /crashed/);
  await record(1.5);
  const length = stage.lengthOf(started.id);

  const browser = descendantsOf(worker.pid);
  assert.ok(browser.length >= 3);
  process.kill(worker.pid, 'SIGKILL');
  await within(20, 'its browser is gone', () => !browser.some(({ pid }) => isRunning(pid)));
  const salvaged = await within(20, 'it is salvaged', async () => {
    const now = await told(started.id);
    return !['starting', 'started', 'stopping', 'stopped'].includes(now.status) && now;
  });
  const duration = (await media.probe(file({ id: started.id, name: 'page' }))).duration;
  assert.ok(duration > length[0] - 2.5, `${duration} s of ${length[0]} s: ${JSON.stringify(salvaged)}`);
  const { green } = media.tiles(await media.frameAt(file({ id: started.id, name: 'page' }), duration - 0.3));
  assert.ok(green?.width > 140 && green.width < 180, JSON.stringify(green)); /* as the page shows it */
}, { seconds: 240 });
