// Pages that eat memory or CPU time: they are ended, and nobody else notices.
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import * as media from './lib/media.mjs';
import { temporaryFolder } from './lib/server.mjs';
import { Stage, lasts } from './lib/suite.mjs';
import { record, within } from './lib/wait.mjs';

const layouts = temporaryFolder('layouts');
const joining = `<!doctype html><link rel="icon" href="data:,"><body style="background: linear-gradient(90deg, #f00 50%, #0f0 50%)">
  <script src="openvidu-browser-2.32.2.min.js"></script><script>
  const url = new URL(location.href);
  const session = new OpenVidu().initSession();
  session.connect('wss://' + location.host + '?sessionId=' + url.searchParams.get('sessionId') +
    '&secret=' + url.searchParams.get('secret') + '&recorder=true');
</script>`;

function addLayout(name, script) {
  mkdirSync(path.join(layouts, name), { recursive: true });
  writeFileSync(path.join(layouts, name, 'index.html'), `${joining}<script>${script}</script>`);
}

addLayout('memory', `const hoard = [];
  setTimeout(() => setInterval(() => hoard.push(new Uint8Array(20e6).fill(1)), 50), 2000);`);
addLayout('cpu', `const spin = URL.createObjectURL(new Blob(['for (;;);']));
  for (let i = 0; i < 4; i++)
    new Worker(spin);`);

const settings = { 'openvidu.recording.custom-layout': layouts, 'browser.max-console-lines': 20 };
const greedy = new Stage({ name: 'page-memory', settings: { ...settings, 'browser.memory-bytes': 1200 << 20 } });
const busy = new Stage({ name: 'page-cpu', browser: false, settings: { ...settings, 'browser.cpu-percent': 50 } });
const properties = { recordingLayout: 'CUSTOM', resolution: '640x360', frameRate: 10, name: 'page' };

async function enter(stage, session, camera) {
  const participant = await greedy.browser.open(camera);
  await participant.join(await stage.token(session));
  if (camera.colour)
    await participant.publish();
}

/** Records such a page until its notes say that the limit was met, and what came then, beside a native recording. */
async function meets(stage, customLayout, limit) {
  const file = (recording) => path.join(stage.server.recordings, recording.id, `${recording.name}.mp4`);
  const [neighbours, session] = [await stage.session(), await stage.session()];
  await enter(stage, neighbours, { colour: 'red', tone: 500, width: 160, height: 120 });
  await enter(stage, session, {});
  const native = await stage.startRecording(neighbours, { name: 'native', resolution: '320x240', frameRate: 10 });
  const started = await stage.startRecording(session, { ...properties, customLayout });
  const told = async () => (await stage.rest.get(`/recto/api/v1/recordings/${started.id}`)).expect(200).json;
  const notesWith = (what) => within(60, `its notes say ${what}`, async () => {
    const notes = (await told()).notes.join('\n');
    return what.test(notes) && notes;
  });
  await notesWith(limit);
  writeFileSync(path.join(layouts, customLayout, 'index.html'), joining); // it has learned its lesson
  await notesWith(/the page was loaded anew; from \d|the layout BEST_FIT is|the page is slowed down/);
  await record(1);

  const stopped = await stage.stopRecording(started.id);
  assert.equal(stopped.status, 'ready');
  lasts((await media.probe(file(stopped))).duration, stopped.length);
  assert.equal(await media.decodeComplaints(file(stopped)), '');
  const beside = await stage.stopRecording(native.id);
  assert.equal(beside.status, 'ready');
  lasts((await media.probe(file(beside))).duration, beside.length);
  assert.equal(await media.decodeComplaints(file(beside)), '');
  const { red } = media.tiles(await media.frameAt(file(beside), beside.duration - 0.5));
  assert.ok(red?.width > 300, JSON.stringify(red));
  return (await told()).notes.join('\n');
}

greedy.test('a page that eats memory is opened anew, and the recording beside it goes on', async () => {
  const notes = await meets(greedy, 'memory', /exceeded a limit.*browser\.memory-bytes/);
  assert.match(notes, /loaded anew; from \d+\.\d+ s to \d+\.\d+ s of the file the last picture is held/);
}, { seconds: 240 });

busy.test('a page that eats CPU time is ended, or slowed down where control groups can, and the recording beside it goes on', async () => {
  await meets(busy, 'cpu', /browser\.cpu-percent/);
}, { seconds: 240 });
