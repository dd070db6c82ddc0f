// Recorded files over HTTP: addresses of both eras, ranges, types, who may fetch, what can't be reached, restarts.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { Browser } from './lib/browser.mjs';
import { Server } from './lib/server.mjs';
import { record, within } from './lib/wait.mjs';

const open = { auth: null };
const canary = 'nobody may read this';
let server, browser;
let modern, classic; // one recording of each era

const address = (recording) => new URL(recording.url).pathname;
const modernFile = () => path.join(server.recordings, modern.id, 'modern.mp4');
const digest = (bytes) => createHash('sha256').update(bytes).digest('hex');

async function recordOnce(base, words, properties) {
  const { id } = (await server.rest.post(`${base}/sessions`)).expect(200).json;
  const token = (await server.rest.post(`${base}/tokens`, { session: id })).expect(200).json.token;
  const person = await browser.open({ version: words, colour: 'red' });
  await person.join(token);
  await person.publish();
  const started = (await server.rest.post(`${base}/recordings/start`, { session: id, ...properties })).expect(200).json;
  await record(1.5);
  const stopped = (await server.rest.post(`${base}/recordings/stop/${started.id}`)).expect(200).json;
  await browser.closeAll();
  return stopped;
}

before(async () => {
  server = await Server.start({ name: 'files', settings: { 'openvidu.recording.public-access': true } });
  browser = await Browser.launch();
  modern = await recordOnce('/openvidu/api', '2.32.2', { name: 'modern', resolution: '320x240' });
  classic = await recordOnce('/api', '2.0.0', { name: 'classic' });
  writeFileSync(path.join(server.folder, 'canary.txt'), canary);
}, { timeout: 60000 });

after(async () => {
  await browser?.close();
  if (server)
    assert.deepEqual(await server.stop(), { code: 0, signal: null }, server.log());
}, { timeout: 30000 });

test('each era gets its own address for a file', async () => {
  assert.match(address(modern), /^\/openvidu\/recordings\/[^/]+\/modern\.mp4$/);
  assert.equal(address(classic), '/recordings/classic.mp4');
  assert.equal(classic.status, 'available');
  for (const recording of [modern, classic]) {
    const answer = (await server.rest.get(address(recording), open)).expect(200);
    assert.equal(answer.headers['content-type'], 'video/mp4');
    assert.equal(answer.headers['x-content-type-options'], 'nosniff');
    assert.equal(answer.bytes.length, recording.size);
  }
  const bytes = readFileSync(modernFile());
  assert.equal(digest((await server.rest.get(address(modern), open)).bytes), digest(bytes));
  const later = address(modern);
  const first = later.replace('/openvidu', '');
  assert.equal(digest((await server.rest.get(first, open)).expect(200).bytes), digest(bytes));
});

test('players get ranges', async () => {
  const all = readFileSync(modernFile());
  const range = async (text, headers = {}) => server.rest.get(address(modern), { ...open, headers: { range: text, ...headers } });
  for (const [text, from, to] of [
    ['bytes=0-99', 0, 100], ['bytes=100-', 100, all.length], ['bytes=-50', all.length - 50, all.length],
    [`bytes=${all.length - 1}-${all.length + 1000}`, all.length - 1, all.length],
  ]) {
    const part = (await range(text)).expect(206);
    assert.equal(part.headers['content-range'], `bytes ${from}-${to - 1}/${all.length}`);
    assert.deepEqual(part.bytes, all.subarray(from, to), text);
  }
  const beyond = (await range(`bytes=${all.length}-`)).expect(416);
  assert.equal(beyond.headers['content-range'], `bytes */${all.length}`);
  for (const nonsense of ['bytes=9-5', 'lines=1-2', 'bytes=a-b', 'bytes=', 'bytes=--5'])
    assert.ok([200, 416].includes((await range(nonsense)).status), nonsense);
  const { etag } = (await range('bytes=0-0')).headers;
  assert.equal((await range('bytes=0-9', { 'if-range': etag })).status, 206);
  assert.equal((await range('bytes=0-9', { 'if-range': '"another"' })).status, 200);
});

test('HEAD and ETag save the way', async () => {
  const full = (await server.rest.get(address(modern), open)).expect(200);
  const head = (await server.rest.request('HEAD', address(modern), undefined, open)).expect(200);
  assert.equal(head.bytes.length, 0);
  for (const key of ['content-length', 'content-type', 'etag', 'accept-ranges'])
    assert.equal(head.headers[key], full.headers[key], key);
  assert.equal(head.headers['accept-ranges'], 'bytes');
  assert.equal(Number(head.headers['content-length']), modern.size);
  const again = await server.rest.get(address(modern), { ...open, headers: { 'if-none-match': full.headers.etag } });
  assert.deepEqual([again.status, again.bytes.length], [304, 0]);
});

test('a recording of the later era has a thumbnail', async () => {
  const picture = (await server.rest.get(`/openvidu/recordings/${modern.id}/${modern.id}.jpg`, open)).expect(200);
  assert.equal(picture.headers['content-type'], 'image/jpeg');
  assert.deepEqual([...picture.bytes.subarray(0, 2)], [0xff, 0xd8]);
});

test('nothing outside the recordings can be reached', async () => {
  const folder = path.join(server.recordings, modern.id);
  symlinkSync(path.join(server.folder, 'canary.txt'), path.join(folder, 'link.mp4'));
  mkdirSync(path.join(server.recordings, 'sub'));
  const up = ['..', '%2e%2e', '.%2e', '%2E.', '%252e%252e', '..%00', '..;', '....', '..%5c', '%c0%ae%c0%ae'];
  const attempts = [
    ...up.flatMap((dots) => [`/recordings/${dots}/canary.txt`, `/openvidu/recordings/${modern.id}/${dots}/${dots}/canary.txt`,
      `/recordings/${dots}%2fcanary.txt`, `/recordings/sub/${dots}/${dots}/canary.txt`]),
    `/recordings/${encodeURIComponent(path.join(server.folder, 'canary.txt'))}`, `/recordings/${path.join(server.folder, 'canary.txt')}`,
    `/recordings/..\\canary.txt`, `/openvidu/recordings/${modern.id}/link.mp4`, '/recordings/canary.txt%00.mp4',
    `/openvidu/recordings/${modern.id}/.recording.${modern.id}`, `/recordings/.recording.${classic.id}`,
    '/recordings/', '/openvidu/recordings/', `/openvidu/recordings/${modern.id}/`, '/recordings/sub', '/recordings', '/openvidu/recordings',
  ];
  for (const attempt of attempts) {
    const answer = await server.rest.get(attempt);
    assert.ok(answer.status >= 400 && answer.status < 500, `${attempt}: ${answer.status} ${answer.text.slice(0, 100)}`);
    assert.ok(!answer.text.includes(canary), attempt);
  }
});

test('with public access off a file needs the secret', async () => {
  await server.stop();
  server.settings['openvidu.recording.public-access'] = false;
  await server.launch();
  for (const recording of [modern, classic]) {
    const refused = await server.rest.get(address(recording), open);
    assert.equal(refused.status, 401);
    assert.match(refused.headers['www-authenticate'], /^Basic/);
    assert.equal((await server.rest.request('HEAD', address(recording), undefined, open)).status, 401);
    assert.equal((await server.rest.get(address(recording))).expect(200).bytes.length, recording.size);
  }
});

test('recordings outlive the server', async () => {
  const items = (await server.rest.get('/openvidu/api/recordings')).expect(200).json.items;
  assert.deepEqual(items.find(({ id }) => id === modern.id), modern);
  const then = (await server.rest.get(`/api/recordings/${classic.id}`)).expect(200).json;
  assert.deepEqual(then, { ...classic, status: 'stopped', url: null }, 'public access is off now');
  assert.ok(existsSync(path.join(server.recordings, modern.id, `.recording.${modern.id}`)));
  assert.ok(existsSync(path.join(server.recordings, `.recording.${classic.id}`)));
  assert.equal(statSync(modernFile()).mode & 0o007, 0, 'others may not read the file on the disk');
});

test('delete removes files and entity', async () => {
  for (const [recording, base] of [[modern, '/openvidu/api'], [classic, '/api']]) {
    assert.equal((await server.rest.delete(`${base}/recordings/${recording.id}`)).status, 204);
    assert.equal((await server.rest.get(`${base}/recordings/${recording.id}`)).status, 404);
    assert.equal((await server.rest.get(address(recording))).status, 404);
  }
  await within(2, 'the folder is empty', () => !existsSync(path.join(server.recordings, modern.id)));
  assert.ok(!existsSync(path.join(server.recordings, 'classic.mp4')));
  assert.ok(!existsSync(path.join(server.recordings, `.recording.${classic.id}`)));
  assert.equal(readFileSync(path.join(server.folder, 'canary.txt'), 'utf8'), canary);
});
