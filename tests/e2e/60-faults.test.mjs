// What happens to a recording, and to its neighbour, when a browser, a worker, the server or a plugin dies.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Browser } from './lib/browser.mjs';
import * as media from './lib/media.mjs';
import { buildPlugin, pluginFolders } from './lib/plugins.mjs';
import { isRunning, root, withDescendants } from './lib/server.mjs';
import { Stage, lasts } from './lib/suite.mjs';
import { record, within } from './lib/wait.mjs';

const crashing = buildPlugin(path.join(root, 'tests/plugins/bad-arrange-crash.c'));
const stage = new Stage({ name: 'faults', settings: { 'plugins.directories': pluginFolders(crashing.folder) } });
const small = { resolution: '320x240', frameRate: 15 };

const file = (recording) => path.join(stage.server.recordings, recording.id, `${recording.name}.mp4`);
const entity = (id) => JSON.parse(readFileSync(path.join(stage.server.recordings, id, `.recording.${id}`), 'utf8'));
const told = async (id) => (await stage.rest.get(`/openvidu/api/recordings/${id}`)).expect(200).json;
const ended = (id, seconds = 15) => within(seconds, `recording ${id} has ended`, async () => {
  const recording = await told(id);
  return ['ready', 'failed'].includes(recording.status) && recording;
});

/** What OpenVidu has no field for: reason, message, notes. */
const explained = async (id) => (await stage.rest.get(`/recto/api/v1/recordings/${id}`)).expect(200).json;

async function recordedSession(camera, properties = small) {
  const session = await stage.session();
  const person = await stage.enter(session, camera);
  const started = await stage.startRecording(session, properties);
  return { session, person, id: started.id };
}

async function endsWell({ id }, colour) {
  const stopped = await stage.stopRecording(id);
  await isPlayable(stopped, colour, stopped.length);
  assert.equal(stopped.status, 'ready');
  return stopped;
}

async function isPlayable(recording, colour, length, less, more) {
  const found = await media.probe(file(recording));
  lasts(found.duration, length, less, more);
  assert.equal(await media.decodeComplaints(file(recording)), '');
  assert.ok(colour in media.tiles(await media.frameAt(file(recording), found.duration - 0.3)), `${colour} is not seen at the end`);
  assert.ok(Math.abs(recording.duration - found.duration) < 0.1, `the entity says ${recording.duration} s`);
  assert.deepEqual(entity(recording.id).status, recording.status);
}

stage.test('a killed browser leaves its session, and the recording goes on', async (t) => {
  const doomed = await Browser.launch();
  try {
    const recorded = await recordedSession({ name: 'anna', colour: 'green', tone: 500 });
    const victim = await doomed.open({ name: 'victim', colour: 'red', tone: 900 });
    await victim.join(await stage.token(recorded.session));
    await victim.publish();
    await recorded.person.sees(victim, 'red');
    const killedAt = Date.now();
    await doomed.kill();
    await recorded.person.waitForEvent('connectionDestroyed', ({ connectionId }) => connectionId === victim.connectionId, 20);
    t.diagnostic(`removed after ${((Date.now() - killedAt) / 1000).toFixed(1)} s`);
    await record(1.5);
    const whole = await endsWell(recorded, 'green');
    const colours = async (second) => Object.keys(media.tiles(await media.frameAt(file(whole), second))).sort();
    assert.deepEqual(await colours(whole.fileTime(killedAt)), ['green', 'red']);
    assert.deepEqual(await colours(whole.duration - 0.5), ['green']);
  } finally {
    await doomed.close();
  }
}, { seconds: 90 });

stage.test('who comes back after 10 s without network is seen and heard again', async (t) => {
  const unplugged = await Browser.launch();
  let frozen = [];
  try {
    const recorded = await recordedSession({ name: 'anna', colour: 'green', tone: 500 });
    const silent = await unplugged.open({ name: 'silent', colour: 'red', tone: 900 });
    await silent.join(await stage.token(recorded.session));
    await silent.publish();
    await recorded.person.sees(silent, 'red');
    await record(2);
    frozen = withDescendants(unplugged.pid);
    frozen.forEach((pid) => process.kill(pid, 'SIGSTOP'));
    const goneAt = Date.now();
    await record(10);
    frozen.forEach((pid) => process.kill(pid, 'SIGCONT'));
    const backAt = Date.now();
    frozen = [];
    await record(4);
    assert.equal((await stage.rest.get(`/openvidu/api/sessions/${recorded.session}`)).json.connections.numberOfElements, 2);
    const whole = await endsWell(recorded, 'green');
    const [gone, back] = [goneAt, backAt].map((moment) => whole.fileTime(moment));
    t.diagnostic(`gone from ${gone.toFixed(1)} to ${back.toFixed(1)} s of ${whole.duration.toFixed(1)} s`);
    const colours = async (second) => Object.keys(media.tiles(await media.frameAt(file(whole), second))).sort();
    for (const second of [gone - 0.5, whole.duration - 0.5])
      assert.deepEqual(await colours(second), ['green', 'red'], `at ${second} s`);
    const samples = await media.sound(file(whole));
    const heard = (from, to) => media.heard(samples, [500, 900], from, to);
    assert.deepEqual(heard(gone - 1, gone - 0.3), [500, 900]);
    assert.deepEqual(heard(gone + 1.5, back - 0.5), [500], 'silence while it is gone');
    assert.deepEqual(heard(whole.duration - 1, whole.duration - 0.1), [500, 900], 'heard again');
  } finally {
    frozen.forEach((pid) => process.kill(pid, 'SIGCONT'));
    await unplugged.close();
  }
}, { seconds: 90 });

stage.test('a killed worker costs its own recording, which is salvaged', async () => {
  const victim = await recordedSession({ name: 'anna', colour: 'red' });
  const neighbour = await recordedSession({ name: 'ben', colour: 'blue' });
  await record(4);
  const length = stage.lengthOf(victim.id);
  process.kill(stage.server.workerOf(victim.id).pid, 'SIGKILL');

  const salvaged = await ended(victim.id);
  assert.equal(salvaged.status, 'ready');
  const { message, notes } = await explained(victim.id);
  assert.match(message, /worker was killed by signal 9/);
  assert.ok(notes.some((note) => /salvaged/.test(note)), notes.join());
  assert.equal(entity(victim.id).message, message);
  await isPlayable(salvaged, 'red', length, 1.1);
  assert.equal((await stage.rest.post(`/openvidu/api/recordings/stop/${victim.id}`)).status, 404);
  assert.equal((await stage.rest.get(`/openvidu/api/sessions/${victim.session}`)).json.recording, false);
  await victim.person.waitForEvent('recordingStopped', ({ id }) => id === victim.id);
  assert.equal((await stage.rest.get(new URL(salvaged.url).pathname)).expect(200).bytes.length, salvaged.size);

  const again = await stage.startRecording(victim.session, small);
  assert.notEqual(again.id, victim.id);
  await record(1);
  assert.equal((await stage.stopRecording(again.id)).status, 'ready');
  await endsWell(neighbour, 'blue');
});

stage.test('a layout that crashes costs its own recording', async () => {
  const neighbour = await recordedSession({ name: 'ben', colour: 'blue' });
  const session = await stage.session();
  await stage.enter(session, { name: 'anna', colour: 'red' });
  const answer = await stage.rest.post('/openvidu/api/recordings/start', { session, ...small, recordingLayout: crashing.id });
  if (answer.status === 200) {
    await ended(answer.json.id);
    assert.match((await explained(answer.json.id)).message, /signal 6/);
  } else {
    assert.equal(answer.status, 500);
    assert.match(answer.json.message, /signal 6/);
  }
  assert.equal((await stage.rest.get(`/openvidu/api/sessions/${session}`)).json.recording, false);
  const again = await stage.startRecording(session, small);
  await record(1);
  assert.equal((await stage.stopRecording(again.id)).status, 'ready');
  await endsWell(neighbour, 'blue');
});

stage.test('SIGTERM finishes all recordings properly', async () => {
  const recordings = [await recordedSession({ colour: 'red' }), await recordedSession({ colour: 'green' })];
  await record(2);
  const lengths = recordings.map(({ id }) => stage.lengthOf(id));
  assert.deepEqual(await stage.server.stop('SIGTERM'), { code: 0, signal: null });
  for (const [i, colour] of ['red', 'green'].entries()) {
    const onDisk = entity(recordings[i].id);
    assert.equal(onDisk.status, 'ready', JSON.stringify(onDisk));
    await isPlayable({ ...onDisk, id: recordings[i].id }, colour, lengths[i], 0.3, 1);
  }
  await stage.server.launch();
  assert.equal((await told(recordings[0].id)).status, 'ready');
});

stage.test('a killed server loses nothing but the end', async () => {
  const recorded = await recordedSession({ name: 'anna', colour: 'magenta' });
  await record(3);
  const length = stage.lengthOf(recorded.id);
  const workers = stage.server.workers();
  await stage.server.stop('SIGKILL');
  await stage.server.launch();
  const found = await ended(recorded.id, 20);
  assert.deepEqual(workers.filter(({ pid }) => isRunning(pid)), [], 'a worker outlived its server');
  assert.match((await explained(recorded.id)).message, /the server ended during the recording/);
  await isPlayable(found, 'magenta', length, 0.5, 6);

  const session = await stage.session();
  await stage.enter(session, { colour: 'green' });
  const next = await stage.startRecording(session, small);
  await record(1);
  assert.equal((await stage.stopRecording(next.id)).status, 'ready');
});
