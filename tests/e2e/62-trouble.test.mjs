// Workers that stop, layouts and sinks that misbehave, plugins replaced in use; a neighbour is recorded all the while.
import assert from 'node:assert/strict';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Load } from './lib/load.mjs';
import * as media from './lib/media.mjs';
import { buildPlugin, pluginFolders } from './lib/plugins.mjs';
import { root, temporaryFolder } from './lib/server.mjs';
import { Stage, lasts } from './lib/suite.mjs';
import { record, within } from './lib/wait.mjs';

const folder = temporaryFolder('plugins');
for (const name of ['tests/plugins/bad-arrange-loop', 'tests/plugins/bad-arrange-outside', 'tests/plugins/bad-arrange-nan'])
  buildPlugin(path.join(root, `${name}.c`), folder);
buildPlugin(path.join(root, 'plugins/examples/count/count.c'), folder);

/** A layout called swap that shows the first stream in a part of the canvas. */
function buildSwap(version, share) {
  const sources = temporaryFolder('swap');
  writeFileSync(path.join(sources, 'swap.c'), `#include <recto/layout.h>
static void arrange (const RecScene *scene, RecTile *tiles)
{ tiles[0].rect = (RecRect){ 0, 0, (float) scene->width * ${share}f, (float) scene->height }; }
static const RecArrangingLayout swap = { .plugin.abi = REC_ARRANGING_LAYOUT_ABI, .plugin.id = "swap", .plugin.version = "${version}",
  .plugin.summary = "Swapped", .arrange = arrange };
REC_REGISTER_PLUGIN (swap)
`);
  buildPlugin(path.join(sources, 'swap.c'), sources);
  return path.join(sources, 'swap.so');
}
renameSync(buildSwap('1.0', '1.0'), path.join(folder, 'swap.so'));

const stage = new Stage({
  name: 'trouble', browser: false,
  settings: {
    'plugins.directories': pluginFolders(folder), 'media.socket-buffer-bytes': 65536, 'recording.max-cpu-percent': 0,
    'recording.heartbeat-timeout-ms': 6000, 'recording.start-timeout-ms': 8000, 'recording.kill-timeout-ms': 500,
    'recording.sink-deadline-ms': 1500, 'recording.sink-queue-ms': 1000, 'server.request-timeout-s': 30,
  },
});
const small = { resolution: '320x180', frameRate: 15 };
const nSessions = 6;
let load;
let neighbour;

const file = (id) => path.join(stage.server.recordings, id, `${id}.mp4`);
const explained = async (id) => (await stage.rest.get(`/recto/api/v1/recordings/${id}`)).expect(200).json;
const ended = (id, seconds = 30) => within(seconds, `recording ${id} has ended`, async () => {
  const now = await explained(id);
  return ['ready', 'failed'].includes(now.status) && now;
});
const start = (session, properties) => stage.startRecording(`room-${session}`, { ...small, ...properties });
const ask = (session, properties) => stage.rest.post('/openvidu/api/recordings/start', { session: `room-${session}`, ...small, ...properties });
const entity = (id) => JSON.parse(readFileSync(path.join(stage.server.recordings, id, `.recording.${id}`), 'utf8'));
const colours = async (id, second) => Object.keys(media.tiles(await media.frameAt(file(id), second)));

async function plays(id, length, less, more) {
  const { duration } = await media.probe(file(id));
  lasts(duration, length, less, more);
  assert.equal(await media.decodeComplaints(file(id)), '');
  return duration;
}

stage.test('a worker that is stopped holds up nobody: it catches up, or is ended and its file salvaged', async (t) => {
  load = new Load(stage.server, { session: 'room', words: ['--sessions', nSessions, '--resolution', '320x240', '--rate', '15', '--keyframes', '500'] });
  await load.ready();
  neighbour = await start(1);
  const [pausing, frozen] = [await start(2), await start(3)];
  await record(2);
  const [one, other] = [pausing, frozen].map(({ id }) => stage.server.workerOf(id).pid);
  process.kill(one, 'SIGSTOP');
  process.kill(other, 'SIGSTOP');
  const frozenAt = stage.lengthOf(frozen.id);
  await record(3);
  const { ms } = (await stage.rest.get(`/openvidu/api/recordings/${pausing.id}`)).expect(200);
  t.diagnostic(`an answer meanwhile after ${ms.toFixed(0)} ms`);
  process.kill(one, 'SIGCONT');
  await record(1.5);
  const stopped = await stage.stopRecording(pausing.id);
  assert.equal(stopped.status, 'ready');
  const duration = await plays(pausing.id, stopped.length);
  assert.ok((await colours(pausing.id, duration - 0.4)).includes('red'), 'nothing is seen after the pause');
  const samples = await media.sound(file(pausing.id));
  assert.deepEqual(media.heard(samples, [500], duration - 0.8, duration - 0.2), [500], 'nothing is heard after the pause');
  const { notes } = await explained(pausing.id);
  t.diagnostic(notes.join('; '));
  assert.ok(notes.some((note) => /too slow/.test(note)), notes.join());

  const { status, message, reason } = await ended(frozen.id);
  t.diagnostic(message);
  assert.equal(status, 'ready');
  assert.equal(reason, 'mediaServerCrashed');
  assert.match(message, /said nothing for longer than recording.heartbeat-timeout-ms; the worker was killed by signal 9/);
  assert.equal(entity(frozen.id).message, message);
  assert.match(stage.server.log(), new RegExp(`recording=${frozen.id}: .*heartbeat-timeout-ms`));
  await plays(frozen.id, frozenAt, 1.2, 0.5);
});

stage.test('a layout that never comes back costs its recording, and the session can be recorded again', async (t) => {
  const askedAt = Date.now();
  const refused = (await ask(4, { recordingLayout: 'bad-arrange-loop' })).expect(500);
  t.diagnostic(`${refused.json.message} (${Date.now() - askedAt} ms)`);
  assert.match(refused.json.message, /no data on the disk within recording.start-timeout-ms/);
  assert.equal((await ended('room-4')).status, 'failed');
  await within(10, 'its worker is gone', () => stage.server.workers().every(({ pid }) => stage.server.workerOf('room-4')?.pid !== pid));
  const again = await start(4);
  await record(1);
  assert.equal((await stage.stopRecording(again.id)).status, 'ready');
});

stage.test('rectangles outside the canvas are cut, those of no number hidden, and the layout is blamed', async () => {
  const [outside, nan] = [await start(5, { recordingLayout: 'bad-arrange-outside' }), await start(6, { recordingLayout: 'bad-arrange-nan' })];
  await record(1.5);
  for (const { id } of [outside, nan]) {
    const stopped = await stage.stopRecording(id);
    assert.equal(stopped.status, 'ready');
    const duration = await plays(id, stopped.length);
    const seen = await colours(id, duration - 0.3);
    if (id === nan.id)
      assert.deepEqual(seen, ['black']);
    else
      assert.ok(seen.includes('red'), seen.join());
  }
  for (const plugin of ['bad-arrange-outside', 'bad-arrange-nan'])
    assert.match(stage.server.log(), new RegExp(`${plugin}.*layout plugin misbehaves: the tile`));
});

stage.test('sinks that fail to open, block or fail to finish cost what the request says', async (t) => {
  const count = (mark, fault) => ({ sinks: ['mp4', `count${mark}`], options: { count: { fault, after: 5 } } });
  const refused = (await ask(2, count('!', 'fail-open'))).expect(500);
  assert.match(refused.json.message, /sink 'count': open \(\): told to fail when opened/);
  assert.equal((await explained('room-2~1')).status, 'failed');

  const blocked = await start(3, count('!', 'stall'));
  const detached = await start(4, count('?', 'stall'));
  const unfinished = await start(5, count('!', 'fail-finish'));
  const unopened = await start(6, count('?', 'fail-open'));
  const lost = await ended(blocked.id);
  t.diagnostic(`${lost.status}: ${lost.message}`);
  assert.match(lost.message, /sink 'count'.*write \(\)/);
  assert.equal(lost.status, 'ready');
  assert.match(stage.server.log(), new RegExp(`recording=${blocked.id}: sink 'count'`));
  assert.equal(await media.decodeComplaints(file(blocked.id)), '');
  for (const { id } of [detached, unfinished, unopened])
    assert.equal((await explained(id)).status, 'started');

  for (const [{ id }, text] of [[detached, /sink 'count'/], [unopened, /sink 'count': open \(\): told to fail when opened/]]) {
    const stopped = await stage.stopRecording(id);
    const { message, notes } = await explained(id);
    assert.deepEqual([stopped.status, message ?? null], ['ready', null]);
    assert.match(notes.join('; '), text);
    await plays(id, stopped.length);
  }
  const stopped = await stage.stopRecording(unfinished.id);
  const { message } = await explained(unfinished.id);
  assert.match(message, /sink 'count': finish \(\): told to fail when finished/);
  assert.equal(stopped.status, 'ready', 'the picture is there all the same');
  await plays(unfinished.id, stopped.length);
});

stage.test('a plugin may be replaced while it is used', async (t) => {
  const shows = async (id, share) => {
    const stopped = await stage.stopRecording(id);
    assert.equal(stopped.status, 'ready');
    const duration = await plays(id, stopped.length);
    const { red } = media.tiles(await media.frameAt(file(id), duration - 0.3));
    assert.ok(Math.abs(red.width - 320 * share) < 8, `${red.width} of 320 pixels`);
  };
  const before1 = await start(2, { recordingLayout: 'swap' });
  renameSync(buildSwap('2.0', '0.5'), path.join(folder, 'swap.so'));
  process.kill(stage.server.pid, 'SIGHUP');
  const plugins = async () => JSON.stringify((await stage.rest.get('/recto/api/v1/plugins')).expect(200).json);
  await within(10, 'the list shows the new one', async () => /"2\.0"/.test(await plugins()));
  const after1 = await start(3, { recordingLayout: 'swap' });
  await record(1);
  await shows(before1.id, 1);

  // Written over in place: what runs has this very file in its memory.
  writeFileSync(path.join(folder, 'swap.so'), 'no plugin any more');
  const refused = await ask(4, { recordingLayout: 'swap' });
  t.diagnostic(`${refused.status}: ${refused.json.message}`);
  assert.ok(refused.status >= 400, refused.text);
  assert.match(refused.json.message, /swap/);
  const answer = (await stage.rest.post(`/openvidu/api/recordings/stop/${after1.id}`));
  const outcome = await ended(after1.id);
  t.diagnostic(`stop: ${answer.status}, then ${outcome.status}: ${outcome.message}`);
  assert.equal(outcome.status, 'ready');
  assert.equal(await media.decodeComplaints(file(after1.id)), '');
});

stage.test('the neighbour was not harmed by any of it', async () => {
  const stopped = await stage.stopRecording(neighbour.id);
  const { message, reason } = await explained(neighbour.id);
  assert.deepEqual([stopped.status, message ?? null, reason], ['ready', null, 'recordingStoppedByServer']);
  const duration = await plays(neighbour.id, stopped.length);
  const samples = await media.sound(file(neighbour.id));
  for (let second = 1; second < duration - 1; second++)
    assert.deepEqual(media.heard(samples, [500], second, second + 1), [500], `nothing is heard at ${second} s`);
  assert.ok((await colours(neighbour.id, duration - 0.4)).includes('red'));
  const { code, said } = await load.stop();
  assert.equal(code, 0, said);
});
