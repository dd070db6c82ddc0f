// Recorded files against what happened in the session: places, times, tones, sizes, rates, sync.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import * as media from './lib/media.mjs';
import { Stage, lasts } from './lib/suite.mjs';
import { record } from './lib/wait.mjs';

const stage = new Stage({ name: 'record', settings: { 'openvidu.recording.public-access': true } });

const file = (recording, ending = 'mp4') => path.join(stage.server.recordings, recording.id, `${recording.name}.${ending}`);

function notesTimes(t, started, stopped) {
  t.diagnostic(`start answered after ${Math.round(started.answerMs)} ms, stop after ${Math.round(stopped.answerMs)} ms`);
  assert.ok(started.answerMs < 3000 && stopped.answerMs < 3000);
}

async function isSound(recording, { width, height, frameRate }) {
  const found = await media.probe(file(recording));
  assert.deepEqual([found.video.width, found.video.height, found.video.codec_name, found.video.pix_fmt], [width, height, 'h264', 'yuv420p']);
  assert.equal(found.video.avg_frame_rate, `${frameRate}/1`);
  lasts(found.duration, recording.length);
  assert.ok(Math.abs(found.duration - recording.duration) < 0.1, `the entity says ${recording.duration} s`);
  const times = await media.frameTimes(file(recording));
  assert.ok(times[0] < 0.001, `begins at ${times[0]} s`);
  const uneven = times.slice(1).filter((time, i) => Math.abs(time - times[i] - 1 / frameRate) > 0.0011);
  assert.equal(uneven.length, 0, `${uneven.length} of ${times.length} frames are off the beat, the first at ${uneven[0]} s`);
  assert.equal(await media.decodeComplaints(file(recording)), '');
  return found;
}

stage.test('four people, one late and one leaving', async (t) => {
  const session = await stage.session();
  const anna = await stage.enter(session, { name: 'anna', colour: 'red', tone: 500 });
  await stage.enter(session, { version: '2.0.0', name: 'ben', colour: 'green', tone: 700 });
  const cleo = await stage.browser.open({ version: '2.1.0', name: 'cleo', colour: 'blue', tone: 900 });
  const dora = await stage.browser.open({ name: 'dora', colour: 'yellow', tone: 1100 });

  const started = await stage.startRecording(session, { resolution: '640x360', frameRate: 20, name: 'four' });
  const marks = [];
  const mark = (colours, tones) => marks.push({ colours, tones, since: Date.now() });
  mark(['red', 'green'], [500, 700]);
  await record(3);
  await cleo.join(await stage.token(session, { version: '2.1.0' }));
  await cleo.publish();
  mark(['red', 'green', 'blue'], [500, 700, 900]);
  await record(3);
  await dora.join(await stage.token(session));
  await dora.publish();
  mark(['red', 'green', 'blue', 'yellow'], [500, 700, 900, 1100]);
  await record(3);
  await anna.call('leave');
  mark(['green', 'blue', 'yellow'], [700, 900, 1100]);
  await record(3);
  const stopped = await stage.stopRecording(started.id);
  notesTimes(t, started, stopped);

  await isSound(stopped, { width: 640, height: 360, frameRate: 20 });
  const samples = await media.sound(file(stopped));
  const tones = [500, 700, 900, 1100];
  for (const { colours, tones: expected, since } of marks) {
    const at = stopped.fileTime(since) + 2;
    const wrong = media.misplaced(await media.frameAt(file(stopped), at), colours);
    assert.equal(wrong, null, `${at.toFixed(1)} s: ${wrong}`);
    assert.deepEqual(media.heard(samples, tones, at - 0.5, at + 0.5), expected, `${at.toFixed(1)} s: tones`);
  }

  const viewer = await stage.browser.open({ name: 'viewer' });
  const played = await viewer.call('play', `${stage.server.url}/openvidu/recordings/${stopped.id}/${stopped.name}.mp4`);
  assert.deepEqual([played.width, played.height], [640, 360]);
  assert.ok(Math.abs(played.duration - stopped.duration) < 0.1 && played.time > stopped.duration - 0.1, JSON.stringify(played));
}, { seconds: 90 });

stage.test('sizes, sound and picture as asked, in recordings side by side', async (t) => {
  const cast = [
    { colour: 'red', tone: 500, properties: { resolution: '641x361', frameRate: 15 } },
    { colour: 'green', tone: 700, properties: { hasVideo: false } },
    { colour: 'blue', tone: 900, properties: { hasAudio: false, resolution: '320x240', frameRate: 15 } },
    { publish: false, properties: { resolution: '320x240', frameRate: 15 } },
  ];
  const running = [];
  for (const { properties, ...camera } of cast) {
    const session = await stage.session();
    await stage.enter(session, camera);
    running.push(await stage.startRecording(session, { name: 'side', ...properties }));
  }
  await record(4);
  const stopped = await Promise.all(running.map(({ id }) => stage.stopRecording(id)));
  running.forEach((started, i) => notesTimes(t, started, stopped[i]));

  await t.test('odd sides are lowered by one', async () => {
    assert.equal(stopped[0].resolution, '640x360');
    await isSound(stopped[0], { width: 640, height: 360, frameRate: 15 });
    assert.equal(media.misplaced(await media.frameAt(file(stopped[0]), 2), ['red']), null);
    assert.deepEqual(media.heard(await media.sound(file(stopped[0])), [500, 700, 900], 1, 3), [500]);
  });

  await t.test('sound alone is a WebM file', async () => {
    assert.deepEqual([stopped[1].hasAudio, stopped[1].hasVideo], [true, false]);
    assert.match(stopped[1].url, /side\.webm$/);
    const found = await media.probe(file(stopped[1], 'webm'));
    assert.match(found.format, /webm/);
    assert.deepEqual([found.video, found.audio.codec_name], [undefined, 'opus']);
    lasts(found.duration, stopped[1].length);
    assert.equal(await media.decodeComplaints(file(stopped[1], 'webm')), '');
    assert.deepEqual(media.heard(await media.sound(file(stopped[1], 'webm')), [500, 700, 900], 1, 3), [700]);
  });

  await t.test('a recording without sound has none', async () => {
    assert.deepEqual([stopped[2].hasAudio, stopped[2].hasVideo], [false, true]);
    const found = await isSound(stopped[2], { width: 320, height: 240, frameRate: 15 });
    assert.equal(found.audio, undefined);
    assert.equal(media.tiles(await media.frameAt(file(stopped[2]), 2)).blue?.width, 320);
  });

  await t.test('nobody publishing is black and silent', async () => {
    await isSound(stopped[3], { width: 320, height: 240, frameRate: 15 });
    assert.deepEqual(Object.keys(media.tiles(await media.frameAt(file(stopped[3]), 2))), ['black']);
    const samples = await media.sound(file(stopped[3]));
    assert.ok(samples.length > 3 * media.rate && samples.every((value) => Math.abs(value) < 0.001));
  });
}, { seconds: 90 });

stage.test('the file goes on while people mute, change size and swap tracks', async (t) => {
  const session = await stage.session();
  const anna = await stage.enter(session, { name: 'anna', colour: 'red', tone: 500 });
  const ben = await stage.enter(session, { name: 'ben', colour: 'green', tone: 700 });
  const started = await stage.startRecording(session, { resolution: '640x360', frameRate: 15, name: 'busy', sinks: ['mp4', 'local'] });
  await record(2);
  await anna.call('mute', { audio: false });
  const mutedAt = Date.now();
  await record(2);
  await anna.call('mute', { audio: true });
  await anna.call('swapVideo', { colour: 'blue', width: 480, height: 360 });
  const swappedAt = Date.now();
  await record(2.5);
  await ben.call('resize', 160, 120);
  const resizedAt = Date.now();
  await record(2.5);
  await ben.call('mute', { video: false });
  await ben.call('unpublish');
  const aloneAt = Date.now();
  await record(2.5);
  const stopped = await stage.stopRecording(started.id);
  notesTimes(t, started, stopped);

  await isSound(stopped, { width: 640, height: 360, frameRate: 15 });
  const [muted, swapped, resized, alone] = [mutedAt, swappedAt, resizedAt, aloneAt].map(stopped.fileTime);
  const samples = await media.sound(file(stopped));
  const tones = (from, to) => media.heard(samples, [500, 700], from, to);
  assert.deepEqual(tones(muted - 1.2, muted - 0.2), [500, 700]);
  assert.deepEqual(tones(muted + 0.8, muted + 1.8), [700], 'muted');
  assert.deepEqual(tones(swapped + 1, swapped + 2), [500, 700], 'unmuted');
  assert.deepEqual(tones(alone + 1, alone + 2), [500], 'alone');
  for (const [time, colours] of [[muted - 0.3, ['red', 'green']], [swapped + 2, ['blue', 'green']], [resized + 2, ['blue', 'green']], [alone + 2, ['blue']]])
    assert.equal(media.misplaced(await media.frameAt(file(stopped), time), colours), null, `at ${time.toFixed(1)} s`);

  // The same as it was sent: each change is in the stream's file.
  const kept = JSON.parse(readFileSync(file(stopped, 'json'), 'utf8')).files.map((take) => ({ ...take, path: file(stopped, take.name) }));
  assert.equal(kept.length, 2);
  for (const { path: name } of kept)
    assert.equal(await media.decodeComplaints(name, '-fps_mode', 'passthrough', '-enc_time_base', '-1'), '');
  const [red, green] = ['anna', 'ben'].map((name) => kept.find(({ clientData }) => clientData === name));
  const colourAt = async (take, time) => Object.keys(media.tiles(await media.frameAt(take.path, time - take.startTimeOffset / 1000, { width: 320, height: 240 })));
  assert.deepEqual(await colourAt(red, muted - 0.3), ['red']);
  assert.deepEqual(await colourAt(red, swapped + 2), ['blue']);
  assert.deepEqual(await colourAt(green, resized + 2), ['green']);
  const own = await media.sound(red.path);
  const heard = (from, to) => media.heard(own, [500, 700], from - red.startTimeOffset / 1000, to - red.startTimeOffset / 1000);
  assert.deepEqual([heard(muted - 1.2, muted - 0.2), heard(muted + 0.8, muted + 1.8), heard(swapped + 1, swapped + 2)], [[500], [], [500]]);
  assert.ok(Math.abs(green.endTimeOffset / 1000 - alone) < 1, `${green.endTimeOffset} ms: left at ${alone} s`);
}, { seconds: 60 });

stage.test('a shared screen is shown whole', async (t) => {
  const session = await stage.session();
  await stage.enter(session, { name: 'screen', colour: 'cyan', publish: { screen: true, audio: false } });
  const started = await stage.startRecording(session, { resolution: '640x360', frameRate: 15, name: 'screen' });
  await record(2.5);
  const stopped = await stage.stopRecording(started.id);
  notesTimes(t, started, stopped);

  await isSound(stopped, { width: 640, height: 360, frameRate: 15 });
  const { cyan } = media.tiles(await media.frameAt(file(stopped), stopped.duration - 0.5));
  const golden = { x: 80, y: 0, width: 480, height: 360 };
  for (const side of Object.keys(golden))
    assert.ok(Math.abs(cyan[side] - golden[side]) <= 2, `${side}: ${JSON.stringify(cyan)}`);
});

stage.test('sound and picture are in sync', async (t) => {
  const session = await stage.session();
  const clapper = await stage.enter(session, { name: 'clapper', picture: 'sync', frameRate: 30 });
  const started = await stage.startRecording(session, { resolution: '320x240', frameRate: 30, name: 'sync' });
  await record(22);
  const stopped = await stage.stopRecording(started.id);
  notesTimes(t, started, stopped);

  // A page that has to wait for the processor shows its flash late; what the page itself was late with doesn't count.
  const punctual = (await clapper.events('clap')).filter(({ lateMs }) => lateMs < 10).map(({ at }) => stopped.fileTime(at));
  const offsets = (await media.syncOffsets(file(stopped))).filter(({ at }) => punctual.some((moment) => Math.abs(at - moment) < 0.4)).map(({ ms }) => ms);
  const worst = media.percentile(offsets.map(Math.abs), 0.95);
  const mean = offsets.reduce((a, b) => a + b, 0) / offsets.length;
  t.diagnostic(`sound minus picture: mean ${mean.toFixed(0)} ms, p95 ${worst.toFixed(0)} ms of ${offsets.length} claps (${offsets.map(Math.round)})`);
  assert.ok(offsets.length >= 10, `${offsets.length} punctual claps in 22 s`);
  assert.ok(worst <= 60, `p95 is ${worst} ms`);
}, { seconds: 60 });
