// What browsers record themselves: LocalRecorder of each library, its uploads, and a server killed while one comes in.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { connect } from 'node:tls';
import { decodeComplaints, frameAt, heard, probe, sound, tiles } from './lib/media.mjs';
import { Stage } from './lib/suite.mjs';
import { within } from './lib/wait.mjs';

const stage = new Stage({ name: 'uploads', settings: { 'log.level': 'info' } });
const folder = () => path.join(stage.server.recordings, '.uploads');
const uploads = async (query = '') => (await stage.rest.get(`/recto/api/v1/uploads${query}`)).expect(200).json;

const permission = async (session, stream, user) =>
  (await stage.rest.post('/recto/api/v1/upload-tokens', { session, stream, user })).expect(200).json;

/** Records two seconds with a pause in between and answers how long it took, without the pause, in seconds. */
const recordInPage = (participant) => participant.page.evaluate(async () => {
  const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
  window.recorder = recto.initLocalRecorder();
  const started = performance.now();
  await recorder.record();
  await pause(1000);
  recorder.pause(); // the promise of 2.0 and 2.1 never settles
  const paused = performance.now();
  await pause(700);
  recorder.resume();
  const resumed = performance.now();
  await pause(1000);
  await recorder.stop();
  return (performance.now() - resumed + paused - started) / 1000;
});

async function judge(upload, seconds, { version, colour, tone }) {
  const file = path.join(folder(), upload.file);
  const media = await probe(file);
  assert.equal(media.video.codec_name, version === '2.32.2' ? 'vp8' : 'vp9'); // what each library prefers
  assert.equal(media.audio.codec_name, 'opus');
  assert.equal(await decodeComplaints(file, '-fps_mode', 'passthrough', '-enc_time_base', '-1'), '');
  assert.deepEqual(Object.keys(tiles(await frameAt(file, 0.5))), [colour]);
  assert.deepEqual(heard(await sound(file), [400, 600, tone], 0.3, 1), [tone]);
  assert.ok(Math.abs(upload.duration - seconds) < 0.5, `${upload.duration} s instead of ${seconds}`);
}

const cases = [
  { version: '2.0.0', how: 'uploadAsBinary', colour: 'red', tone: 500 },
  { version: '2.1.0', how: 'uploadAsMultipartfile', colour: 'green', tone: 700 },
  { version: '2.32.2', how: 'uploadAsBinary', colour: 'blue', tone: 900 },
  { version: '2.32.2', how: 'uploadAsMultipartfile', colour: 'yellow', tone: 1100 },
];

for (const { version, how, colour, tone } of cases)
  stage.test(`${how} of ${version}`, async () => {
    const session = await stage.session();
    const anna = await stage.enter(session, { version, name: 'anna', colour, tone });
    const seconds = await recordInPage(anna);
    const { url, token } = await permission(session, anna.streamId, 'anna');

    const answer = JSON.parse(await anna.page.evaluate(([call, to]) => recorder[call](to), [how, url]));
    assert.equal(answer.session, session);
    assert.equal(answer.stream, anna.streamId);
    assert.equal(answer.user, 'anna');
    assert.equal(answer.size, await anna.page.evaluate(() => recorder.getBlob().size));
    await judge(answer, seconds, { version, colour, tone });
    const picture = await stage.rest.get(new URL(answer.thumbnailUrl).pathname);
    assert.equal(picture.expect(200).headers['content-type'], 'image/jpeg');
    assert.deepEqual((await uploads(`?session=${session}`)).items, [answer]);

    // Used up; and preview and clean still work on what is in the page.
    assert.equal(await anna.page.evaluate(([call, to]) => recorder[call](to).catch((status) => status), [how, url]), 401);
    assert.ok(!stage.server.log().includes(token));
    assert.equal(await anna.page.evaluate(() => {
      document.body.insertAdjacentHTML('beforeend', '<div id="preview"></div>');
      recorder.preview('preview');
      const shown = document.querySelectorAll('#preview video').length;
      recorder.clean();
      return `${shown} ${recorder.state}`;
    }), '1 READY');
  });

stage.test('old clients are not told of uploads unless they ask', async () => {
  const n = (await uploads()).count;
  assert.equal(n, cases.length);
  assert.equal((await stage.rest.get('/openvidu/api/recordings')).expect(200).json.count, 0);
  const { items } = (await stage.rest.get('/openvidu/api/recordings?uploads=true')).expect(200).json;
  assert.deepEqual(items.map(({ object }) => object), Array(n).fill('upload'));
});

stage.test('a killed server keeps what was complete, and nothing else', async () => {
  const before = (await uploads()).items;
  const { url } = await permission('room', '', 'ben');
  const socket = connect({ port: stage.server.port, host: '127.0.0.1', rejectUnauthorized: false });
  await once(socket, 'secureConnect');
  socket.on('error', () => {});
  socket.write(`POST ${url.slice(url.indexOf('/recto'))} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n`);
  socket.write(Buffer.alloc(500000, 7));
  await within(10, 'the upload comes in', () => readdirSync(folder()).some((name) => name.endsWith('.part')));

  assert.deepEqual(await stage.server.stop('SIGKILL'), { code: null, signal: 'SIGKILL' });
  socket.destroy();
  writeFileSync(path.join(folder(), 'notes.txt'), 'not ours, not touched');
  await stage.server.launch();
  assert.deepEqual((await uploads()).items, before);
  assert.deepEqual(readdirSync(folder()).filter((name) => /part|txt/.test(name)), ['notes.txt']);
});
