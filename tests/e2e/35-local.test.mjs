// Recordings of single streams: which stream is in which file, from when to when, what is in it, and all in a ZIP.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Load } from './lib/load.mjs';
import * as media from './lib/media.mjs';
import { Server } from './lib/server.mjs';
import { Stage, lasts } from './lib/suite.mjs';
import { record, within } from './lib/wait.mjs';

const stage = new Stage({ name: 'local' });

const place = (recording, name) => path.join(stage.server.recordings, recording.id, name);
const json = (recording, name) => JSON.parse(readFileSync(place(recording, name), 'utf8'));

// A colour fills the frame of a camera; its tone is heard all the time.
async function shows(file, colour, tone) {
  const { duration } = await media.probe(file);
  // Pictures are as far apart as they came: no even rate is to be made of them.
  assert.equal(await media.decodeComplaints(file, '-fps_mode', 'passthrough', '-enc_time_base', '-1'), '');
  const times = await media.frameTimes(file);
  assert.ok(times.every((time, i) => i === 0 || time > times[i - 1]), `${file}: ${times}`);
  const frame = await media.frameAt(file, duration / 2);
  const tile = media.tiles(frame)[colour];
  assert.ok(tile?.width > frame.width - 8 && tile.height > frame.height - 8, `${file}: ${colour} is at ${JSON.stringify(tile)}`);
  assert.deepEqual(media.heard(await media.sound(file), [500, 700], 0.5, duration - 0.5), [tone], file);
  return duration;
}

stage.test('each stream is in a file of its own, as long as it was there', async (t) => {
  const session = await stage.session();
  await stage.enter(session, { name: 'anna', colour: 'red', tone: 500 });
  const started = await stage.startRecording(session, { outputMode: 'INDIVIDUAL', name: 'single' });
  assert.equal(started.outputMode, 'INDIVIDUAL');
  assert.ok(!('recordingLayout' in started) && !('resolution' in started));
  await record(3);
  const ben = await stage.browser.open({ version: '2.0.0', name: 'ben', colour: 'green', tone: 700 });
  await ben.join(await stage.token(session, { version: '2.0.0' }));
  await ben.publish();
  const benCame = Date.now();
  await record(4);
  const benLeft = Date.now();
  await ben.call('leave');
  await record(1);
  const stopped = await stage.stopRecording(started.id);

  assert.equal(stopped.status, 'ready');
  assert.deepEqual([stopped.hasAudio, stopped.hasVideo], [true, true]);
  lasts(stopped.duration, stopped.length);
  const metadata = json(stopped, 'single.json');
  assert.deepEqual([metadata.id, metadata.name, metadata.sessionId, metadata.createdAt],
    [stopped.id, 'single', session, stopped.createdAt]);
  assert.equal(metadata.files.length, 2);
  assert.equal(stopped.size, metadata.files.reduce((sum, { size }) => sum + size, 0));
  const [anna, other] = metadata.files;
  for (const file of metadata.files) {
    assert.deepEqual([file.hasAudio, file.hasVideo, file.typeOfVideo], [true, true, 'CAMERA']);
    assert.equal(file.name, `${file.streamId}.webm`);
    assert.ok(file.streamId.includes('CAM') && file.connectionId.startsWith('con_'));
  }
  assert.ok(anna.startTimeOffset < 500, JSON.stringify(metadata));
  assert.ok(Math.abs(anna.endTimeOffset / 1000 - stopped.duration - anna.startTimeOffset / 1000) < 0.05);
  // What is known from outside: publish was answered after the first packets, leaving takes a moment.
  const came = benCame - metadata.createdAt, left = benLeft - metadata.createdAt;
  assert.ok(other.startTimeOffset > came - 2500 && other.startTimeOffset < came + 500, `${other.startTimeOffset}: ${came}`);
  assert.ok(other.endTimeOffset > left - 50 && other.endTimeOffset < left + 800, `${other.endTimeOffset}: ${left}`);

  assert.equal(new URL(stopped.url).pathname, `/openvidu/recordings/${stopped.id}/single.zip`);
  const zip = (await stage.rest.get(new URL(stopped.url).pathname)).expect(200);
  assert.equal(zip.headers['content-type'], 'application/zip');
  const part = await stage.rest.get(new URL(stopped.url).pathname, { headers: { range: 'bytes=0-3' } });
  assert.deepEqual([part.status, part.text], [206, 'PK\x03\x04']);
  const folder = mkdtempSync(path.join(tmpdir(), 'zip-'));
  t.after(() => rmSync(folder, { recursive: true }));
  writeFileSync(path.join(folder, 'got.zip'), zip.bytes);
  execFileSync('unzip', ['-q', 'got.zip', '-d', 'out'], { cwd: folder });
  const out = (name) => path.join(folder, 'out', name);
  assert.deepEqual(readdirSync(out('')).sort(), ['single.json', anna.name, other.name].sort());
  assert.deepEqual(JSON.parse(readFileSync(out('single.json'), 'utf8')), metadata);

  for (const [file, colour, tone] of [[anna, 'red', 500], [other, 'green', 700]]) {
    assert.equal(readFileSync(out(file.name)).length, file.size);
    const duration = await shows(out(file.name), colour, tone);
    assert.ok(Math.abs(duration * 1000 - (file.endTimeOffset - file.startTimeOffset)) < 50, `${duration} s: ${JSON.stringify(file)}`);
  }
  // What is in the ZIP is not kept twice.
  await within(10, 'the single files are gone', () => !readdirSync(path.dirname(place(stopped, 'x'))).some((name) => name.endsWith('.webm')));
  assert.equal((await stage.rest.get(`/openvidu/recordings/${stopped.id}/single.${anna.name}`)).status, 404);
  assert.equal((await stage.rest.get(`/openvidu/recordings/${stopped.id}/.recording.${stopped.id}`)).status, 404);
});

stage.test('a composed recording may keep the streams beside it, and says who was when', async () => {
  const session = await stage.session();
  const anna = await stage.enter(session, { name: 'anna', colour: 'red', tone: 500 });
  const { connectionId } = (await stage.rest.get(`/openvidu/api/sessions/${session}`)).expect(200).json.connections.content[0];
  const started = await stage.startRecording(session,
    { sinks: ['mp4', 'local'], name: 'both', resolution: '320x240', frameRate: 15 });
  await record(3);
  // not to be recorded for a while: the composition goes on, the single stream has a second file
  (await stage.rest.request('PATCH', `/openvidu/api/sessions/${session}/connection/${connectionId}`, { record: false })).expect(200);
  await record(1.5);
  (await stage.rest.request('PATCH', `/openvidu/api/sessions/${session}/connection/${connectionId}`, { record: true })).expect(200);
  await record(3);
  const stopped = await stage.stopRecording(started.id);

  const { files } = json(stopped, 'both.json');
  assert.deepEqual(files.map(({ name, streamId }) => name.slice(streamId.length)), ['.webm', '-1.webm']);
  const pause = files[1].startTimeOffset - files[0].endTimeOffset;
  assert.ok(pause > 1000 && pause < 3500, `${pause} ms between the files`);
  for (const file of files)
    await shows(place(stopped, `both.${file.name}`), 'red', 500);
  await shows(place(stopped, 'both.mp4'), 'red', 500);
  const { video } = await media.probe(place(stopped, 'both.mp4'));
  assert.deepEqual([video.width, video.height], [320, 240]);

  const { id, events } = (await stage.rest.get(`/recto/api/v1/recordings/${stopped.id}/timeline`)).expect(200).json;
  assert.equal(id, stopped.id);
  const kinds = events.map(({ event }) => event);
  for (const kind of ['trackAdded', 'layoutChanged', 'fileBegun', 'fileEnded', 'streamChanged'])
    assert.ok(kinds.includes(kind), `${kind}: ${kinds}`);
  assert.ok(events.some(({ tiles }) => tiles?.length === 1 && tiles[0].streamId === files[0].streamId && tiles[0].width === 320));
  assert.deepEqual(readdirSync(path.dirname(place(stopped, 'x'))).filter((name) => name.startsWith('.chronicle') || name.endsWith('.part')), []);
  assert.ok(anna);
});

/** What is in the ZIP of a recording of single streams, unpacked: its metadata, and the path of each file. */
async function unpack(recording, t) {
  const zip = (await stage.rest.get(new URL(recording.url).pathname)).expect(200);
  const folder = mkdtempSync(path.join(tmpdir(), 'zip-'));
  t.after(() => rmSync(folder, { recursive: true }));
  writeFileSync(path.join(folder, 'got.zip'), zip.bytes);
  execFileSync('unzip', ['-q', 'got.zip', '-d', 'out'], { cwd: folder });
  const out = (name) => path.join(folder, 'out', name);
  return { metadata: JSON.parse(readFileSync(out(`${recording.name}.json`), 'utf8')), out };
}

// Sound minus picture of each flash that has its beep; only of those moments of the file that count, if not of all.
async function isInSync(t, file, moments) {
  const offsets = (await media.syncOffsets(file)).filter(({ at }) => !moments || moments.some((moment) => Math.abs(at - moment) < 0.4)).map(({ ms }) => ms);
  const worst = media.percentile(offsets.map(Math.abs), 0.95);
  t.diagnostic(`${path.extname(file)}: sound minus picture: p95 ${worst.toFixed(0)} ms of ${offsets.length} claps (${offsets.map(Math.round)})`);
  assert.ok(offsets.length >= 5, `${offsets.length} claps`);
  assert.ok(worst <= 60, `p95 is ${worst} ms`);
}

stage.test('H264 is kept in MP4 if asked for; sound and picture are in sync in each container', async (t) => {
  const session = await stage.session({ forcedVideoCodec: 'H264' });
  const clapper = await stage.enter(session, { name: 'clapper', picture: 'sync', frameRate: 30 });
  const load = new Load(stage.server, { session: 'flashes', words: ['--flash', '--resolution', '320x240', '--rate', 30] });
  await load.ready();
  const properties = { outputMode: 'INDIVIDUAL', options: { local: { 'h264-container': 'mp4' } } };
  const started = await stage.startRecording(session, { ...properties, name: 'h264' });
  const others = await stage.startRecording('flashes', { ...properties, name: 'vp8' });
  // A page that has to wait for the processor shows its flash late; what the page itself was late with doesn't count.
  const punctual = async () => (await clapper.events('clap')).filter(({ lateMs, at }) => lateMs < 10 && at > started.createdAt + 500);
  await record(13);
  await within(40, 'enough claps were punctual', async () => (await punctual()).length >= 8);
  const stopped = await stage.stopRecording(started.id);
  const stoppedToo = await stage.stopRecording(others.id);
  await load.stop();

  const { metadata, out } = await unpack(stopped, t);
  const [file] = metadata.files;
  assert.equal(file.name, `${file.streamId}.mp4`);
  const { video, audio } = await media.probe(out(file.name));
  assert.deepEqual([video.codec_name, audio.codec_name], ['h264', 'opus']);
  assert.equal(await media.decodeComplaints(out(file.name), '-fps_mode', 'passthrough', '-enc_time_base', '-1'), '');
  await isInSync(t, out(file.name), (await punctual()).map(({ at }) => stopped.fileTime(at)));

  const { metadata: webm, out: from } = await unpack(stoppedToo, t);
  assert.equal(webm.files[0].name, `${webm.files[0].streamId}.webm`);
  await isInSync(t, from(webm.files[0].name));
}, { seconds: 120 });

stage.test('a server and its worker killed while they pack leave everything to the next', async (t) => {
  const server = await Server.start({ name: 'packing', settings: { 'recording.zip-method': 'deflate' } });
  t.after(() => server.stop());
  const load = new Load(server, { session: 'crowd', words: ['--publishers', 12, '--resolution', '320x240', '--rate', 15, '--bitrate', 1500] });
  await load.ready();
  const { id } = (await server.rest.post('/openvidu/api/recordings/start', { session: 'crowd', outputMode: 'INDIVIDUAL', name: 'packed' })).expect(200).json;
  await record(4);
  const worker = server.workerOf(id);
  const folder = path.join(server.recordings, id);
  const stopping = server.rest.post(`/openvidu/api/recordings/stop/${id}`).catch(() => null);
  const end = Date.now() + 30000;
  const begun = () => ['packed.zip.part', 'packed.zip'].some((name) => existsSync(path.join(folder, name)));
  while (!begun() && Date.now() < end)
    await new Promise(setImmediate);
  try {
    process.kill(worker.pid, 'SIGKILL');
  } catch (error) {
    assert.equal(error.code, 'ESRCH'); // it was that fast
  }
  await server.stop('SIGKILL');
  await Promise.all([stopping, load.ended()]);
  t.diagnostic(`killed ${existsSync(path.join(folder, 'packed.zip')) ? 'when all was packed' : 'in the middle of packing'}`);

  await server.launch();
  const found = await within(60, 'it is salvaged', async () => {
    const recording = (await server.rest.get(`/openvidu/api/recordings/${id}`)).expect(200).json;
    return ['ready', 'failed'].includes(recording.status) && recording;
  });
  assert.equal(found.status, 'ready', JSON.stringify(found));
  const zip = path.join(folder, 'packed.zip');
  execFileSync('unzip', ['-tq', zip]);
  const { files } = JSON.parse(execFileSync('unzip', ['-p', zip, 'packed.json']));
  const names = execFileSync('unzip', ['-Z1', zip], { encoding: 'utf8' }).trim().split('\n');
  assert.equal(files.length, 12);
  assert.deepEqual(names.sort(), ['packed.json', ...files.map(({ name }) => name)].sort());
  assert.ok(found.duration > 3 && files.every(({ startTimeOffset, endTimeOffset }) => endTimeOffset - startTimeOffset > 3000), JSON.stringify(files));
  // The single files and what was begun are gone.
  await within(10, 'the ZIP alone is left', () => !readdirSync(folder).some((name) => /\.(webm|part)$/.test(name)));
}, { seconds: 120 });
