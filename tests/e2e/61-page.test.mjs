// Recordings of web pages: the documented sample with each client library, in real sessions, as the page shows and plays it.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import * as media from './lib/media.mjs';
import { palette } from './lib/palette.mjs';
import { root, temporaryFolder } from './lib/server.mjs';
import { Stage, lasts } from './lib/suite.mjs';
import { record, within } from './lib/wait.mjs';

const layouts = temporaryFolder('layouts');
const sample = readFileSync(path.join(root, 'layouts/custom/index.html'), 'utf8');
const rgb = (colour) => `rgb(${palette[colour].join(',')})`;

function addLayout(name, page, settings) {
  mkdirSync(path.join(layouts, name), { recursive: true });
  writeFileSync(path.join(layouts, name, 'index.html'), page);
  if (settings)
    writeFileSync(path.join(layouts, name, 'layout.ini'), `[layout]\n${settings}\n`);
}

const joining = (version, onStream) => `<script src="openvidu-browser-${version}.min.js"></script><script>
  const url = new URL(location.href);
  const token = 'wss://' + location.host + '?sessionId=' + url.searchParams.get('sessionId') +
    '&secret=' + url.searchParams.get('secret') + '&recorder=true';
  const session = new OpenVidu().initSession();
  session.on('streamCreated', ({ stream }) => { ${onStream} });
  session.connect(token);
</script>`;

addLayout('', sample);
addLayout('old', sample.replace('2.0.0', '2.1.0'));
addLayout('a/new', sample.replace('2.0.0', '2.32.2'));
// As OpenVidu's documentation tells users apart; the page's own red fills what the two leave.
addLayout('people', `<!doctype html><style>
    html { background: ${rgb('red')}; }
    div { position: absolute; } video { display: block; width: 100%; height: 100%; object-fit: fill; }
    #big-video-div { left: 40px; top: 20px; width: 320px; height: 240px; }
    #small-video-div { left: 480px; top: 200px; width: 120px; height: 90px; }
  </style><div id="big-video-div"></div><div id="small-video-div"></div>
  ${joining('2.32.2', `
    if (stream.connection.data === 'userBigVideo') session.subscribe(stream, 'big-video-div');
    else if (stream.connection.data === 'userSmallVideo') session.subscribe(stream, 'small-video-div');`)}<script>
    let changes = 0;
    const isStrange = ({ target }) => target.localName === 'recto-pulse';
    addEventListener('DOMContentLoaded', () => new MutationObserver((list) => (changes += list.filter(isStrange).length))
      .observe(document, { attributes: true, characterData: true, childList: true, subtree: true }));
    addEventListener('playing', () => setTimeout(() =>
      console.log('last', document.documentElement.lastElementChild.localName, 'changes', changes), 1000), { capture: true, once: true });
  </script>`);
addLayout('tone', `<!doctype html><style>html { background: ${rgb('cyan')}; font-size: 40px; }</style><p>sound alone</p>
  ${joining('2.1.0', '')}
  <script>
    const context = new AudioContext();
    const tone = new OscillatorNode(context, { frequency: Number(url.searchParams.get('hertz')) });
    tone.connect(new GainNode(context, { gain: 0.2 })).connect(context.destination);
    tone.start();
  </script>`, 'summary = A tone of its own\nparameter.hertz = 1300');

const stage = new Stage({ name: 'page', settings: { 'openvidu.recording.custom-layout': layouts } });

const file = (recording) => path.join(stage.server.recordings, recording.id, `${recording.name}.mp4`);
const small = { width: 160, height: 120 };
const properties = { recordingLayout: 'CUSTOM', resolution: '640x360', frameRate: 15, name: 'page' };

/** Fails unless each colour fills its rectangle, [x, y, width, height]. */
function isAt(frame, places) {
  const seen = media.tiles(frame);
  for (const [colour, [x, y, width, height]] of Object.entries(places)) {
    const at = seen[colour];
    const ends = at && [at.x - x, at.y - y, at.x + at.width - x - width, at.y + at.height - y - height];
    assert.ok(ends?.every((off) => Math.abs(off) <= 4),
      `${colour} is at ${at ? [at.x, at.y, at.width, at.height] : 'no place'} instead of ${[x, y, width, height]}`);
  }
  return seen;
}

async function hasNoNotes(recording) {
  const { notes } = (await stage.rest.get(`/recto/api/v1/recordings/${recording.id}`)).expect(200).json;
  const about = notes.filter((note) => !/repeat/.test(note)); // what a busy machine may do
  assert.deepEqual(about, []);
}

async function isSound(recording, frameRate = 15) {
  const found = await media.probe(file(recording));
  assert.deepEqual([found.video.width, found.video.height, found.video.codec_name], [640, 360, 'h264']);
  assert.equal(found.video.avg_frame_rate, `${frameRate}/1`);
  assert.equal(found.audio.codec_name, 'aac');
  assert.equal(await media.decodeComplaints(file(recording)), '');
  lasts(found.duration, recording.length);
}

stage.test('are refused before anything starts when there is no such page', async () => {
  const session = await stage.session();
  await stage.enter(session, { publish: false });
  const start = (customLayout) => stage.rest.post('/openvidu/api/recordings/start', { session, ...properties, customLayout });
  const unknown = await start('none');
  assert.equal(unknown.status, 404, unknown.text);
  assert.match(unknown.json.message, /'none' \(no index\.html\); there are: a\/new, old, people, tone/);
  const outside = await start('../..');
  assert.equal(outside.status, 400, outside.text);
  const { items } = (await stage.rest.get('/openvidu/api/recordings')).expect(200).json;
  await within(10, 'nothing is left of them', async () =>
    (await stage.rest.get('/openvidu/api/recordings')).json.count === 0 || items.length === 0);
  const { layouts: listed } = (await stage.rest.get('/recto/api/v1/layouts')).expect(200).json;
  assert.deepEqual(listed.filter(({ kind }) => kind === 'page').map(({ customLayout }) => customLayout), ['', 'a/new', 'old', 'people', 'tone']);
});

// Chromium takes a picture once the sum of the steps since the last one reaches what was asked for, and keeps the rest.
test('give a new picture within each step of the recording, however often the tab is drawn', () => {
  const source = readFileSync(path.join(root, 'core/worker/page-controller.js'), 'utf8');
  const getCaptureRate = new Function('OffscreenCanvas', `${source}; return getCaptureRate;`)(
    class { getContext() {} });
  for (const frameRate of [10, 15, 25, 30])
    for (const drawn of [60, 30]) {
      const rate = getCaptureRate(frameRate);
      assert.ok(rate >= frameRate, `${rate}`);
      for (let tick = 0, saved = 0, last = 0; tick < 600; tick++) {
        saved = Math.min(saved + 1 / drawn, 2 / rate);
        if (saved + 1e-9 < 1 / rate)
          continue;
        saved -= 1 / rate;
        assert.ok(tick === 0 || (tick - last) / drawn < 1 / frameRate + 1e-3, `${frameRate} of ${drawn}: ${tick - last} steps`);
        last = tick;
      }
    }
});

const versions = [['2.0.0', ''], ['2.1.0', 'old'], ['2.32.2', '/a/new/']];
for (const [version, customLayout] of versions) {
  stage.test(`show the documented sample with openvidu-browser ${version}`, async (t) => {
    const session = await stage.session();
    const anna = await stage.enter(session, { name: 'anna', version, colour: 'red', tone: 500, ...small });
    const late = await stage.browser.open({ name: 'ben', colour: 'blue', tone: 900, ...small });
    const started = await stage.startRecording(session, { ...properties, customLayout });
    t.diagnostic(`start answered after ${Math.round(started.answerMs)} ms`);
    const first = Date.now();
    await record(2);
    await late.join(await stage.token(session));
    await late.publish();
    const both = Date.now();
    await record(3);
    const { connections } = (await stage.rest.get(`/openvidu/api/sessions/${session}`)).expect(200).json;
    assert.equal(connections.numberOfElements, 2);
    const stopped = await stage.stopRecording(started.id);

    await hasNoNotes(stopped);
    await isSound(stopped);
    const one = [8, 8, 160, 120];
    isAt(await media.frameAt(file(stopped), stopped.fileTime(first) + 1), { red: one });
    isAt(await media.frameAt(file(stopped), stopped.fileTime(both) + 2.5), { red: one, blue: [168, 8, 160, 120] });
    const samples = await media.sound(file(stopped));
    const heard = (at) => media.heard(samples, [500, 700, 900], at - 0.4, at + 0.4);
    assert.deepEqual(heard(stopped.fileTime(first) + 1), [500]);
    assert.deepEqual(heard(stopped.fileTime(both) + 2.4), [500, 900]);
    const others = (await anna.events('connectionCreated')).map(({ connectionId }) => connectionId);
    assert.deepEqual(others.filter((id) => id !== anna.connectionId), [late.connectionId]);
  }, { seconds: 90 });
}

stage.test('two at once: users in their elements, and a page that only makes sounds', async () => {
  const meeting = await stage.session();
  const lonely = await stage.session();
  await stage.enter(meeting, { name: 'userBigVideo', colour: 'green', tone: 500, ...small });
  await stage.enter(meeting, { name: 'userSmallVideo', colour: 'blue', tone: 900, ...small });
  await stage.enter(meeting, { name: 'nobody', colour: 'yellow', tone: 1100, ...small });
  await stage.enter(lonely, { publish: false });
  const slow = { ...properties, frameRate: 10 };
  const started = await Promise.all([
    stage.startRecording(meeting, { ...slow, customLayout: 'people' }),
    stage.startRecording(lonely, { ...slow, customLayout: 'tone' })]);
  await record(4);
  // The pixel that keeps the browser drawing at its full rate changes nothing that the page can see.
  await within(20, 'the page has looked at itself', () => stage.server.log().includes("'log: last recto-pulse changes 0'"));
  const [people, tone] = await Promise.all(started.map(({ id }) => stage.stopRecording(id)));

  await hasNoNotes(people);
  await hasNoNotes(tone);
  await isSound(people, 10);
  await isSound(tone, 10);
  const end = (recording) => recording.duration - 1;
  const seen = isAt(await media.frameAt(file(people), end(people)), {
    green: [40, 20, 320, 240], blue: [480, 200, 120, 90], red: [0, 0, 640, 360] });
  assert.equal(seen.yellow, undefined);
  isAt(await media.frameAt(file(tone), end(tone)), { cyan: [0, 0, 640, 360] });
  const tones = [500, 900, 1100, 1300];
  assert.deepEqual(media.heard(await media.sound(file(people)), tones, end(people) - 1, end(people)), [500, 900]);
  assert.deepEqual(media.heard(await media.sound(file(tone)), tones, end(tone) - 1, end(tone)), [1300]);
}, { seconds: 120 });
