// A network that loses packets both ways, a disk that is full for one recording only, a wall clock that is set.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after } from 'node:test';
import { Guest } from './lib/guest.mjs';
import { Load } from './lib/load.mjs';
import { Lossy } from './lib/lossy.mjs';
import * as media from './lib/media.mjs';
import { buildPlugin } from './lib/plugins.mjs';
import { root, temporaryFolder } from './lib/server.mjs';
import { Stage, lasts } from './lib/suite.mjs';
import { record, within } from './lib/wait.mjs';

const preloaded = temporaryFolder('preloaded');
for (const name of ['disk', 'clock'])
  buildPlugin(path.join(root, `tests/tools/preload/${name}.c`), preloaded);

const stage = new Stage({
  name: 'hardship', settings: { 'recording.max-cpu-percent': 0 },
  environment: { LD_PRELOAD: ['disk', 'clock'].map((name) => path.join(preloaded, `${name}.so`)).join(':') },
});
const small = { resolution: '320x240', frameRate: 15 };
const lossy = new Lossy();
let load;
after(() => lossy.close());

const folder = (id) => path.join(stage.server.recordings, id);
const file = (id) => path.join(folder(id), `${id}.mp4`);
const entity = (id) => JSON.parse(readFileSync(path.join(folder(id), `.recording.${id}`), 'utf8'));
const explained = async (id) => (await stage.rest.get(`/recto/api/v1/recordings/${id}`)).expect(200).json;

async function plays(id, length, less, more) {
  const { duration } = await media.probe(file(id));
  lasts(duration, length, less, more);
  assert.equal(await media.decodeComplaints(file(id)), '');
  return duration;
}

/** Its publisher is seen at the end, and heard from one second to the next. */
async function isWhole(id, length, { colour, tone, less, more }) {
  const duration = await plays(id, length, less, more);
  assert.ok(colour in media.tiles(await media.frameAt(file(id), duration - 0.4)), `${colour} is not seen at the end`);
  const samples = await media.sound(file(id));
  for (let second = 1; second < duration - 1.2; second++)
    assert.deepEqual(media.heard(samples, [tone], second, second + 1), [tone], `nothing is heard at ${second} s of ${duration} s`);
  return duration;
}

stage.test('with 3 % of all packets lost both ways, a recording is whole and a watcher goes on seeing', async (t) => {
  const session = await stage.session();
  const [anna, ben] = await Promise.all([
    stage.browser.open({ name: 'anna', colour: 'green', tone: 500 }),
    stage.browser.open({ name: 'ben', colour: 'red', tone: 900 }),
  ]);
  for (const person of [anna, ben]) {
    await lossy.surround(person);
    await person.join(await stage.token(session));
  }
  await anna.publish();
  await ben.sees(anna, 'green');
  lossy.loss = 0.03;
  const { id } = await stage.startRecording(session, small);
  const timeBefore = (await ben.call('observe', anna.connectionId)).time;
  await within(40, 'enough is lost both ways', () => lossy.toServer.lost >= 15 && lossy.toBrowser.lost >= 15);
  await within(20, 'the watcher sees more', async () => (await ben.call('observe', anna.connectionId)).time > timeBefore + 3);
  const stopped = await stage.stopRecording(id);
  for (const [name, { lost, passed }] of Object.entries({ 'to the server': lossy.toServer, 'to the browser': lossy.toBrowser }))
    t.diagnostic(`${lost} of ${lost + passed} packets lost ${name}`);
  lossy.loss = 0;
  assert.equal(stopped.status, 'ready');
  const duration = await isWhole(id, stopped.length, { colour: 'green', tone: 500 });
  const moves = await media.moves(file(id));
  const pauses = [0, ...moves, duration].map((at, i, all) => (i > 0 ? at - all[i - 1] : 0));
  t.diagnostic(`${moves.length} different pictures in ${duration.toFixed(1)} s, the longest pause ${Math.max(...pauses).toFixed(2)} s`);
  assert.ok(Math.max(...pauses) < 3, `frozen for ${Math.max(...pauses)} s`);
}, { seconds: 120 });

stage.test('a disk that is full for one recording ends this one, and no other', async (t) => {
  load = new Load(stage.server, { session: 'room', words: ['--sessions', 2, '--resolution', '320x240', '--rate', '15', '--keyframes', 500] });
  await load.ready();
  const [victim, neighbour] = [await stage.startRecording('room-1', small), await stage.startRecording('room-2', small)];
  await record(3);
  const length = stage.lengthOf(victim.id);
  writeFileSync(path.join(preloaded, 'full'), `${folder(victim.id)}/`);
  const ended = await within(30, 'the recording has ended', async () => {
    const now = await explained(victim.id);
    return ['ready', 'failed'].includes(now.status) && now;
  });
  t.diagnostic(`${ended.status}: ${ended.message}`);
  assert.match(ended.message, /No space left on device/);
  assert.equal(ended.status, 'ready', 'what was on the disk is kept');
  assert.match(stage.server.log(), new RegExp(`${victim.id}.*No space left on device`));
  await plays(victim.id, length, 2.5, 1);
  assert.equal((await stage.rest.get('/openvidu/api/sessions/room-1')).json.recording, false);

  writeFileSync(path.join(preloaded, 'full'), '');
  const again = await stage.startRecording('room-1', small);
  await record(1);
  assert.equal((await stage.stopRecording(again.id)).status, 'ready');
  const stopped = await stage.stopRecording(neighbour.id);
  const { message } = await explained(neighbour.id);
  assert.deepEqual([stopped.status, message ?? null], ['ready', null]);
  await isWhole(neighbour.id, stopped.length, { colour: 'red', tone: 500 });
});

stage.test('a wall clock that is set by an hour changes what is dated, and nothing else', async () => {
  const hour = 3600000;
  const isAbout = (moment, expected) => Math.abs(moment - expected) < 30000;
  const setClock = async (seconds) => {
    writeFileSync(path.join(preloaded, 'ahead'), String(seconds));
    await within(10, 'the server sees it', async () =>
      isAbout((await stage.rest.get('/openvidu/api/recordings/nowhere')).json.timestamp, Date.now() + seconds * 1000));
  };
  const unused = (await stage.rest.post('/openvidu/api/sessions', {})).expect(200).json;
  const tokenBefore = await stage.token('room-1');
  const guest = await Guest.join(await stage.token('room-2'));
  const before = await stage.startRecording('room-1', small);
  assert.ok(isAbout(before.createdAt, Date.now()), `createdAt ${before.createdAt}`);
  await record(1.5);
  await setClock(3600);
  const during = await stage.startRecording('room-2', small);
  assert.ok(isAbout(during.createdAt, Date.now() + hour), `createdAt ${during.createdAt}`);
  await record(1.5);
  const late = await Guest.join(tokenBefore);
  late.drop();
  await setClock(0);
  const tokenAfter = await stage.token('room-2');
  (await Guest.join(tokenAfter)).drop();
  await record(1.5);
  for (const { id, createdAt } of [before, during]) {
    const stopped = await stage.stopRecording(id);
    assert.deepEqual([stopped.status, stopped.createdAt], ['ready', createdAt]);
    const duration = await isWhole(id, stopped.length, { colour: 'red', tone: 500 });
    assert.ok(Math.abs(stopped.duration - duration) < 0.1, `the entity says ${stopped.duration} s, the file ${duration} s`);
    const onDisk = entity(id);
    assert.deepEqual([onDisk.createdAt, onDisk.duration], [createdAt, stopped.duration]);
    assert.equal((await explained(id)).message ?? null, null);
  }
  const session = (await stage.rest.get(`/openvidu/api/sessions/${unused.id}`)).expect(200).json;
  assert.equal(session.createdAt, unused.createdAt);
  await guest.call('ping'); // still connected
  guest.drop();
  const { code, said } = await load.stop();
  assert.equal(code, 0, said);
});
