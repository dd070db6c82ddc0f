// The demo: four people in headless Chromium, one late, one leaving; 20 s recorded, checked, and shown as a contact sheet.
import { mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { Browser } from './lib/browser.mjs';
import * as media from './lib/media.mjs';
import { Server, build, isRunning } from './lib/server.mjs';
import { record, within } from './lib/wait.mjs';

const folder = path.join(build, 'demo');
const sheet = path.join(folder, 'contact-sheet.png');
const session = 'demo';
const lateAt = 5;
const leaveAt = 15;
const end = 20;

const people = {
  anna: { colour: 'red', tone: 500, picture: 'circle', version: '2.32.2' },
  ben: { colour: 'green', tone: 700, picture: 'bars', version: '2.0.0' },
  cleo: { colour: 'blue', tone: 900, picture: 'clock', version: '2.1.0' },
  dora: { colour: 'yellow', tone: 1100, picture: 'bounce', version: '2.32.2' },
};

const begun = Date.now();
const say = (text) => console.log(`[${((Date.now() - begun) / 1000).toFixed(1).padStart(5)} s] ${text}`);

function check(holds, complaint) {
  if (!holds)
    throw new Error(complaint);
}

async function tokenFor(server, { version }) {
  if (version.startsWith('2.32'))
    return (await server.rest.post(`/openvidu/api/sessions/${session}/connection`, {})).expect(200).json.token;
  return (await server.rest.post('/api/tokens', { session })).expect(200).json.id;
}

const open = (browser, name) => browser.open({ name, width: 640, height: 360, frameRate: 20, ...people[name] });

async function enter(server, person) {
  await person.join(await tokenFor(server, person), { subscribe: person.name === 'anna' });
  await person.publish();
  const { colour, tone } = people[person.name];
  say(`${person.name} joins with openvidu-browser ${person.version}: ${colour}, ${tone} Hz`);
}

const secondsUntil = (moment) => Math.max(0, (moment - Date.now()) / 1000);

/** Answers the recording's file, and when which people were there, in seconds before its end. */
async function holdSession(server, browser) {
  (await server.rest.post('/openvidu/api/sessions', { customSessionId: session })).expect(200);
  const [anna, ben, cleo, dora] = await Promise.all(Object.keys(people).map((name) => open(browser, name)));
  for (const person of [anna, ben, cleo])
    await enter(server, person);

  const requested = Date.now();
  const start = await server.rest.post('/openvidu/api/recordings/start',
    { session, name: 'demo', resolution: '1280x720', frameRate: 25, recordingLayout: 'BEST_FIT' });
  const { id } = start.expect(200).json;
  const scenes = [{ names: ['anna', 'ben', 'cleo'], from: Date.now() }];
  say(`recording started, answered after ${Math.round(start.ms)} ms`);

  await record(secondsUntil(requested + lateAt * 1000));
  scenes.at(-1).to = Date.now();
  await enter(server, dora);
  scenes.push({ names: ['anna', 'ben', 'cleo', 'dora'], from: Date.now() });

  await record(secondsUntil(requested + leaveAt * 1000));
  scenes.at(-1).to = Date.now();
  await ben.call('leave');
  say('ben leaves');
  scenes.push({ names: ['anna', 'cleo', 'dora'], from: Date.now() });

  await record(secondsUntil(requested + end * 1000));
  scenes.at(-1).to = Date.now();
  const stopped = Date.now();
  const stop = await server.rest.post(`/openvidu/api/recordings/stop/${id}`);
  const recording = stop.expect(200).json;
  say(`recording stopped, answered after ${Math.round(stop.ms)} ms`);
  check(recording.status === 'ready', `the recording is ${recording.status}: ${stop.text}`);
  return {
    file: path.join(server.recordings, recording.id, `${recording.name}.mp4`),
    length: (stopped - requested) / 1000,
    scenes: scenes.map(({ names, from, to }) => ({ names, beforeEnd: (stopped - (from + to) / 2) / 1000 })),
  };
}

async function judge({ file, length, scenes }) {
  const { video, audio, duration } = await media.probe(file);
  check(video?.codec_name === 'h264' && audio?.codec_name === 'aac', `${file} should hold H.264 and AAC`);
  check(video.width === 1280 && video.height === 720, `the picture is ${video.width}x${video.height}, not 1280x720`);
  check(video.avg_frame_rate === '25/1', `the frame rate is ${video.avg_frame_rate}, not 25`);
  check(Math.abs(duration - length) < 1, `the file lasts ${duration} s, not ${length} s`);
  const complaints = await media.decodeComplaints(file);
  check(complaints === '', `ffmpeg complains about ${file}: ${complaints}`);
  say(`the file: ${duration.toFixed(1)} s of H.264 1280x720 at 25 fps with AAC`);

  const samples = await media.sound(file);
  const tones = Object.values(people).map(({ tone }) => tone);
  for (const { names, beforeEnd } of scenes) {
    const at = duration - beforeEnd;
    const second = at.toFixed(1);
    const colours = names.map((name) => people[name].colour);
    const wrong = media.misplaced(await media.frameAt(file, at), colours);
    check(wrong === null, `at ${second} s: ${wrong}`);
    const expected = names.map((name) => people[name].tone);
    const heard = media.heard(samples, tones, at - 0.5, at + 0.5);
    check(heard.join() === expected.join(), `at ${second} s: the tones ${heard} are heard instead of ${expected}`);
    say(`at ${second} s: ${colours.join(', ')} in their places, ${expected.join(', ')} Hz heard`);
  }
}

async function demo() {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  let server;
  let browser;
  let recording;
  try {
    server = await Server.start({ name: 'demo', folder });
    say(`server listens on port ${server.port}`);
    browser = await Browser.launch();
    recording = await holdSession(server, browser);
  } catch (error) {
    if (server)
      console.error(`--- last lines of the server's log\n${server.log().split('\n').slice(-40).join('\n')}`);
    throw error;
  } finally {
    await browser?.close();
    const workers = server?.workers() ?? [];
    const ended = await server?.stop();
    check(!ended || ended.code === 0, `the server ended with ${JSON.stringify(ended)}`);
    await within(5, 'all workers are gone', () => !workers.some(({ pid }) => isRunning(pid)));
  }
  say('browsers and server are gone; judging the file');
  await judge(recording);
  await media.contactSheet(recording.file, sheet, { every: (recording.length - 1) / 10, columns: 5, rows: 2 });
  console.log(`recording: ${recording.file}`);
  console.log(`contact sheet: ${sheet}`);
}

for (const [signal, code] of [['SIGINT', 130], ['SIGTERM', 143]])
  process.on(signal, () => process.exit(code)); // what runs on exit ends browser and server

demo().catch((error) => {
  console.error(`demo failed: ${error.message}`);
  process.exit(1); // a browser that came up too late must not keep us waiting
});
