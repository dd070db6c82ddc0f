// Plugins over REST: what is listed, a strange layout and a strange sink at work, and sinks that fail or stall.
import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import * as media from './lib/media.mjs';
import { buildPlugin, pluginFolders } from './lib/plugins.mjs';
import { Server, root, temporaryFolder } from './lib/server.mjs';
import { Stage } from './lib/suite.mjs';
import { record, within } from './lib/wait.mjs';

const examples = temporaryFolder('examples');
for (const id of ['row', 'count'])
  buildPlugin(path.join(root, `plugins/examples/${id}/${id}.c`), examples);

const stage = new Stage({
  name: 'plugins',
  settings: { 'plugins.directories': pluginFolders(examples), 'recording.sink-deadline-ms': 2000 },
});

const properties = { resolution: '640x360', frameRate: 15 };
const folder = (recording) => path.join(stage.server.recordings, recording.id);
const film = (recording) => path.join(folder(recording), `${recording.name}.mp4`);

stage.test('are listed with their options', async () => {
  const { plugins } = (await stage.rest.get('/recto/api/v1/plugins')).expect(200).json;
  const listed = Object.fromEntries(plugins.map((plugin) => [plugin.id, plugin]));
  for (const [id, kind] of [['best_fit', 'arranging-layout'], ['mp4', 'sink'], ['row', 'arranging-layout'], ['count', 'sink']]) {
    assert.deepEqual([listed[id]?.kind, listed[id]?.usable], [kind, true], id);
    assert.ok(listed[id].summary && listed[id].version && existsSync(listed[id].file));
  }
  const gap = listed.row.options.find(({ key }) => key === 'gap');
  assert.deepEqual([gap.min, gap.max, String(gap.fallback)], [0, 200, '8']);
});

stage.test('a layout and a sink of strangers work together', async () => {
  const session = await stage.session();
  await stage.enter(session, { colour: 'red', tone: 500 });
  await stage.enter(session, { colour: 'blue', tone: 700 });
  const started = await stage.startRecording(session,
    { ...properties, recordingLayout: 'row', sinks: ['mp4', 'count'], options: { row: { gap: 4 } } });
  await record(3);
  const stopped = await stage.stopRecording(started.id);
  assert.equal(stopped.status, 'ready');
  const seen = media.tiles(await media.frameAt(film(stopped), 2));
  for (const [colour, x] of [['red', 4], ['blue', 322]]) {
    const { x: left, y, width, height } = seen[colour];
    const off = [left - x, y - 4, width - 314, height - 352].filter((difference) => Math.abs(difference) > 2);
    assert.deepEqual(off, [], `${colour}: ${JSON.stringify(seen[colour])}`);
  }
  const counted = readdirSync(folder(stopped)).filter((name) => name !== `${stopped.name}.mp4` && !name.startsWith('.') && !name.endsWith('.jpg') && name !== `${stopped.name}.timeline.json`);
  assert.equal(counted.length, 1, `files: ${readdirSync(folder(stopped))}`);
  const frames = (await media.frameTimes(film(stopped))).length;
  const text = readFileSync(path.join(folder(stopped), counted[0]), 'utf8');
  assert.ok(text.match(/\d+/g).map(Number).includes(frames), `${frames} frames, but ${counted[0]} says: ${text}`);
});

stage.test('options are checked before the start', async () => {
  const session = await stage.session();
  await stage.enter(session, { publish: false });
  const refused = async (body) => (await stage.rest.post('/openvidu/api/recordings/start', { session, ...properties, ...body })).expect(400).json.message;
  assert.match(await refused({ recordingLayout: 'row', options: { row: { gap: 201 } } }), /gap.*0.*200/);
  assert.match(await refused({ recordingLayout: 'row', options: { row: { gap: 'wide' } } }), /gap/);
  assert.match(await refused({ recordingLayout: 'row', options: { row: { width: 7 } } }), /width/);
  assert.match(await refused({ sinks: ['mp4', 'tape'] }), /tape.*mp4/s);
  assert.match(await refused({ recordingLayout: 'mp4' }), /best_fit/);
});

for (const fault of ['fail-open', 'fail-write', 'stall']) {
  stage.test(`an optional sink with the fault ${fault} is detached, and the MP4 is whole`, async () => {
    const session = await stage.session();
    await stage.enter(session, { colour: 'green', tone: 500 });
    const started = await stage.startRecording(session,
      { ...properties, sinks: ['mp4', 'count?'], options: { count: { fault, after: 20 } } });
    await record(5);
    const stopped = await stage.stopRecording(started.id);
    assert.equal(stopped.status, 'ready', JSON.stringify(stopped));
    const { notes } = (await stage.rest.get(`/recto/api/v1/recordings/${stopped.id}`)).expect(200).json;
    assert.ok(notes.some((note) => /'count'.*goes on without it/.test(note)), notes.join());
    assert.equal(await media.decodeComplaints(film(stopped)), '');
    const { duration } = await media.probe(film(stopped));
    assert.ok(duration > 4.8 && duration < 6.5, `${duration} s`);
    assert.equal(media.misplaced(await media.frameAt(film(stopped), duration - 0.5), ['green']), null);
    assert.deepEqual(media.heard(await media.sound(film(stopped)), [500, 700], 3, 4.5), [500]);
  });
}

test('bad ones are refused with the reason, and the server starts', { timeout: 60000 }, async () => {
  const bad = temporaryFolder('bad');
  const ids = readdirSync(path.join(root, 'tests/plugins')).filter((name) => /^bad-.*\.c$/.test(name)).map((name) => buildPlugin(path.join(root, 'tests/plugins', name), bad).id);
  const server = await Server.start({ name: 'bad', settings: { 'plugins.directories': pluginFolders(bad), 'plugins.probe-timeout-ms': 1000 } });
  try {
    const { plugins } = (await server.rest.get('/recto/api/v1/plugins')).expect(200).json;
    for (const id of ids) {
      const entry = plugins.find(({ file }) => file.endsWith(`/${id}.so`));
      assert.ok(entry, `${id} is not listed`);
      if (!entry.usable)
        assert.ok(entry.refusal.length > 10, `${id}: ${entry.refusal}`);
    }
    const refused = plugins.filter(({ usable }) => !usable).map(({ file }) => path.basename(file, '.so'));
    assert.deepEqual(ids.filter((id) => !id.startsWith('bad-arrange') && !refused.includes(id)), []);
    assert.equal(plugins.find(({ id, usable }) => id === 'best_fit' && usable)?.kind, 'arranging-layout');
  } finally {
    await server.stop();
  }
});

test('SIGHUP finds new ones without a restart', { timeout: 60000 }, async () => {
  const later = temporaryFolder('later');
  const server = await Server.start({ name: 'later', settings: { 'plugins.directories': pluginFolders(later) } });
  const ours = ['best_fit', 'custom_html', 'custom_subfolder', 'local', 'mp4'];
  const ids = async () => (await server.rest.get('/recto/api/v1/plugins')).expect(200).json.plugins.map(({ id }) => id);
  try {
    assert.deepEqual(await ids(), ours);
    buildPlugin(path.join(root, 'plugins/examples/row/row.c'), later);
    process.kill(server.pid, 'SIGHUP');
    await within(15, 'row is listed', async () => (await ids()).includes('row'));
    assert.deepEqual((await ids()).sort(), [...ours, 'row']);
  } finally {
    await server.stop();
  }
});
