// What it costs to record a web page, and how well it is recorded, beside the classic way with the same page and the same people.
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import * as media from '../../e2e/lib/media.mjs';
import { root } from '../../e2e/lib/server.mjs';
import { Grabber, installGrabber } from '../grabber.mjs';
import { Recording, countUniqueFrames, describeTaken, measure, median, pause, takes, treeOf, withPeople, withServer } from '../stage.mjs';

export const after = ['composed', 'classic'];

const layout = 'branded';
const n = 2;
const seconds = 10;
const settle = 3;
const clapInterval = 2; // seconds
const clapCounts = { ours: 22, classic: 10 }; // one of 22 may be off
const starts = 3;
const properties = { recordingLayout: 'CUSTOM', customLayout: layout, resolution: '1280x720', frameRate: 25 };

/** The layout as it is but for where it joins: no server of ours serves it here. */
function writePage(folder, token) {
  const copy = path.join(folder, 'page');
  cpSync(path.join(root, 'layouts/custom', layout), copy, { recursive: true });
  const library = 'openvidu-browser-2.32.2.min.js';
  cpSync(path.join(root, 'node_modules/openvidu-browser-2.32.2/static/js', library), path.join(copy, library));
  const file = path.join(copy, 'index.html');
  const page = readFileSync(file, 'utf8');
  const joining = page.replace(/const token = [^;]*;/, () => `const token = ${JSON.stringify(token)};`);
  if (joining === page)
    throw new Error(`${layout}/index.html has no token of its own any more`);
  writeFileSync(file, joining);
  return `${file}?title=Our%20meeting`;
}

async function startOurs(bench, server) {
  const recording = await Recording.start(server, 'bench', properties);
  const worker = await recording.worker();
  return {
    startMs: recording.startMs,
    pids: () => treeOf(worker), // the browser too
    async stop() {
      const { file } = await recording.stop();
      const { notes } = (await server.rest.get(`/recto/api/v1/recordings/${recording.id}`)).expect(200).json;
      (notes ?? []).forEach((note) => bench.note(`noted: ${note}`));
      return file;
    },
  };
}

async function startClassic(server) {
  const from = performance.now();
  const grabber = await Grabber.start({ server, n, writePage });
  return { startMs: performance.now() - from, pids: () => grabber.pids(), stop: () => grabber.stop() };
}

/** Films people who move, then people who clap. */
async function film(server, start, claps) {
  return withPeople(server, 'bench', ['--publishers', n], async (people) => {
    await pause(settle);
    const { server: idle } = await measure(seconds / 2, { server: server.pid });
    const way = await start();
    const times = {};
    let used;
    let file;
    try {
      await pause(settle);
      times.begun = performance.now();
      used = await measure(seconds, { recorder: way.pids, server: server.pid });
      await withPeople(server, 'bench', ['--publishers', n, '--flash', '--name', 'clapper'], async () => {
        await people.stop();
        await pause(claps * clapInterval);
        times.ended = performance.now();
        file = await way.stop();
      });
    } finally {
      file ??= await way.stop();
    }
    return { ...used, idle, startMs: way.startMs, claps, ...(await judge(file, times, claps)) };
  });
}

/** times: of the clock, the last one is the end of the file. */
async function judge(file, { begun, ended }, claps) {
  const { duration } = await media.probe(file);
  const from = duration - (ended - begun) / 1000;
  const { unique, frames } = await countUniqueFrames(file, from, from + seconds);
  const pairs = (await media.syncOffsets(file, 900)).filter(({ at }) => at > duration - claps * clapInterval);
  return { unique, frames, offsets: pairs.map(({ ms }) => ms) };
}

const latest = ({ offsets }) => media.percentile(offsets.map(Math.abs), 0.95);

function tell(bench, name, way) {
  bench.note(`${name}: ${describeTaken(way)}; ` +
    `${way.unique} of ${way.frames} frames differ from the one before; there after ${Math.round(way.startMs)} ms; ` +
    `sound minus picture at ${way.offsets.length} of ${way.claps} claps: ${way.offsets.map(Math.round).join(' ')} ms`);
  if (way.unique === 0)
    throw new Error(`${name} recorded no moving picture, so what it took says nothing`);
}

/** How long further starts take. */
async function timeStarts(server) {
  return withPeople(server, 'bench', ['--publishers', n], async () => {
    const times = [];
    for (let i = 1; i < starts; i++) {
      const recording = await Recording.start(server, 'bench', properties);
      times.push(recording.startMs);
      await pause(1);
      await recording.stop();
      await pause(1); // another spare worker comes up
    }
    return times;
  });
}

export async function run(bench) {
  await installGrabber(bench);
  await withServer(async (server) => {
    const ours = await film(server, () => startOurs(bench, server), clapCounts.ours);
    tell(bench, 'ours', ours);
    if (ours.offsets.length < ours.claps / 2)
      throw new Error(`there are ${ours.offsets.length} claps with picture and sound instead of ${ours.claps}`);
    bench.row('page.n2.cores', ours.recorder.cores, 'cores');
    bench.row('page.n2.pss_mb', ours.recorder.pss, 'MB', 1);
    bench.row('page.n2.unique_fps', ours.unique / seconds, 'fps', 2);
    bench.row('page.n2.av_offset_p95_ms', latest(ours), 'ms', 0);
    const times = [ours.startMs, ...(await timeStarts(server))];
    bench.note(`start: ${times.map(Math.round).join(' ')} ms`);
    bench.row('page.start.answer_ms', median(times), 'ms', 0);
    const classic = await film(server, () => startClassic(server), clapCounts.classic);
    tell(bench, 'the classic way', classic);
    bench.row('page.n2.classic_cpu_ratio', takes(classic, 'cores') / takes(ours, 'cores'), 'ratio', 2);
  }, { 'browser.fallback': 'fail', 'browser.ready-timeout-ms': 60000 });
}
