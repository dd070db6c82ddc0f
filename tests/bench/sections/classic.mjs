// The classic way to record, a browser in front of a screen grabber, beside ours: the same four people, from the same server, by turns.
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import * as media from '../../e2e/lib/media.mjs';
import { root } from '../../e2e/lib/server.mjs';
import { Grabber, installGrabber } from '../grabber.mjs';
import { Recording, countUniqueFrames, describeTaken, measure, pause, takes, withPeople, withServer } from '../stage.mjs';

export const after = ['composed'];

const turns = 2; // a machine's speed drifts: it must not decide
const seconds = 10;
const settle = 3;
const n = 4;
const tones = [500, 700, 900, 1100]; // of the first four of recto-load

const page = (token) => `<!doctype html><title>classic</title>
<style>body { margin: 0; background: black; display: grid; grid-template-columns: 1fr 1fr; height: 100vh } div { overflow: hidden; height: 50vh }
video { width: 100%; height: 100%; object-fit: cover }</style>
<script>${readFileSync(path.join(root, 'node_modules/openvidu-browser-2.32.2/static/js/openvidu-browser-2.32.2.min.js'), 'utf8').replaceAll('</script', '<\\/script')}</script>
<script>
  const session = new OpenVidu().initSession();
  session.on('streamCreated', ({ stream }) => session.subscribe(stream, document.body.appendChild(document.createElement('div'))));
  session.connect(${JSON.stringify(token)});
</script>`;

function writePage(folder, token) {
  const file = path.join(folder, 'classic.html');
  writeFileSync(file, page(token));
  return file;
}

async function recordOurs(server) {
  const recording = await Recording.start(server, 'bench', { resolution: '1280x720', frameRate: 25 });
  await pause(settle);
  const used = await measure(seconds, { recorder: await recording.worker(), server: server.pid });
  const { file, duration } = await recording.stop();
  const { unique } = await countUniqueFrames(file, duration - seconds - 0.5, duration - 0.5);
  return { ...used, uniqueFps: unique / seconds };
}

/** Whether everybody is heard: who records less has less to do. */
async function isHeard(file) {
  return media.heard(await media.sound(file), tones, settle, settle + seconds - 2).length === tones.length;
}

async function recordClassic(bench, server) {
  const grabber = await Grabber.start({ server, n, writePage });
  let used;
  let file;
  try {
    await pause(settle);
    used = await measure(seconds, { recorder: () => grabber.pids(), server: server.pid });
  } finally {
    file = await grabber.stop();
  }
  const { unique, frames } = await countUniqueFrames(file, settle, settle + seconds - 1);
  bench.note(`the classic way: ${unique} of ${frames} frames differ from the one before`);
  const lacks = unique === 0 ? 'no moving picture' : !(await isHeard(file)) ? 'not the sound of everybody' : null;
  if (lacks)
    throw new Error(`the classic way recorded ${lacks}, so what it took says nothing: ${grabber.ffmpeg.said}`);
  return { ...used, uniqueFps: unique / (seconds - 1) };
}

/** What a way took in the mean of its turns. */
function mean(ways) {
  const of = (pick) => ways.reduce((sum, way) => sum + pick(way), 0) / ways.length;
  const used = (who) => ({ cores: of((way) => way[who].cores), pss: of((way) => way[who].pss) });
  return { recorder: used('recorder'), server: used('server'), uniqueFps: of((way) => way.uniqueFps) };
}

/** Each way in turn, as { ours, classic }. */
async function takeTurns(bench, server, idle) {
  const ours = [];
  const classic = [];
  for (let turn = 0; turn < turns; turn++) {
    ours.push(await recordOurs(server));
    await pause(1);
    classic.push(await recordClassic(bench, server));
    bench.note(`turn ${turn + 1}: ours ${ours[turn].recorder.cores.toFixed(3)} cores, the classic way ${classic[turn].recorder.cores.toFixed(3)}`);
  }
  return { ours: { ...mean(ours), idle }, classic: { ...mean(classic), idle } };
}

export async function run(bench) {
  await installGrabber(bench);
  await withServer((server) => withPeople(server, 'bench', ['--publishers', n], async () => {
    await pause(settle);
    const { server: idle } = await measure(seconds, { server: server.pid });
    const { ours, classic } = await takeTurns(bench, server, idle);
    for (const [name, way] of Object.entries({ ours, classic }))
      bench.note(`${name}: ${describeTaken(way)}`);
    bench.row('composed.n4.classic_cpu_ratio', takes(classic, 'cores') / takes(ours, 'cores'), 'ratio', 2);
    bench.row('composed.n4.classic_unique_fps', classic.uniqueFps, 'fps', 2);
    const perFrame = (way) => takes(way, 'cores') / way.uniqueFps;
    bench.row('composed.n4.classic_cpu_per_frame_ratio', perFrame(classic) / perFrame(ours), 'ratio', 2);
    bench.row('composed.n4.classic_pss_ratio', takes(classic, 'pss') / takes(ours, 'pss'), 'ratio', 2);
  }));
}
