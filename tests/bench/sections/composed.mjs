// What a recording of N people costs, beside what its codecs alone cost and what ffmpeg takes to compose the same.
import { execFile, execFileSync } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { temporaryFolder } from '../../e2e/lib/server.mjs';
import { Recording, countUniqueFrames, defaults, measure, pause, tool, withPeople, withServer } from '../stage.mjs';

const execute = promisify(execFile);
const seconds = 10;
const settle = 3;
const grids = { 1: [1, 1], 2: [2, 1], 4: [2, 2], 9: [3, 3] };

export async function recordPeople(n) {
  return withServer((server) => withPeople(server, 'bench', ['--publishers', n], async () => {
    const idle = await measure(2, { server: server.pid });
    const recording = await Recording.start(server, 'bench', { resolution: '1280x720', frameRate: 25 });
    await pause(settle);
    const worker = await recording.worker();
    const used = await measure(seconds, { worker, server: server.pid });
    const { file, duration } = await recording.stop();
    const { unique } = await countUniqueFrames(file, duration - seconds - 0.5, duration - 0.5);
    return { ...used, idle: idle.server, uniqueFps: unique / seconds };
  }));
}

/** CPU seconds per second of recording: { decode, scale, encode, audio, total } */
function measureFloor(n) {
  const encoder = defaults();
  const words = ['measure', n, encoder.preset, encoder.quality, encoder['max-video-bitrate'], encoder['keyframe-interval-ms'], encoder.threads,
    encoder['audio-bitrate']];
  const printed = execFileSync(tool('floor'), words.map(String), { encoding: 'utf8' });
  return Object.fromEntries(printed.trim().split('\n').map((line) => line.split(' ')).map(([name, value]) => [name, Number(value)]));
}

/** As the worker chooses them (core/worker/encoder.c). */
function qualityWords(encoder) {
  if (encoder.preset === 'ultrafast')
    return ['-qp', String(Math.max(encoder.quality - 1, 1))];
  const bitrate = `${encoder['max-video-bitrate']}k`;
  return ['-crf', encoder.quality, '-maxrate', bitrate, '-bufsize', bitrate];
}

/** The same material in files, composed by ffmpeg in real time. */
async function measureFfmpeg(n) {
  const folder = temporaryFolder('bench');
  execFileSync(tool('floor'), ['files', n, seconds, folder].map(String));
  const encoder = defaults();
  const [columns, rows] = grids[n];
  const [width, height] = [Math.floor(1280 / columns / 2) * 2, Math.floor(720 / rows / 2) * 2];
  const inputs = [...Array(n).keys()];
  const tiles = inputs.map((i) =>
    `[${i}:v]scale=${width}:${height}:force_original_aspect_ratio=increase:flags=bilinear,crop=${width}:${height},fps=25[v${i}]`);
  const places = inputs.map((i) => `${(i % columns) * width}_${Math.floor(i / columns) * height}`).join('|');
  const picture = n === 1 ? '[v0]pad=1280:720[v]' : `${inputs.map((i) => `[v${i}]`).join('')}xstack=inputs=${n}:layout=${places}:fill=black,pad=1280:720[v]`;
  const sound = `${inputs.map((i) => `[${i}:a]`).join('')}amix=inputs=${n}:normalize=0[a]`;
  const { stderr } = await execute('bash', ['-c', 'TIMEFORMAT="%U %S"; time "$@"', 'time', 'ffmpeg', '-v', 'error', '-y', '-filter_complex_threads', '1',
    ...inputs.flatMap((i) => ['-threads', '1', '-re', '-i', path.join(folder, `${i}.webm`)]),
    '-filter_complex', [...tiles, picture, sound].join(';'), '-map', '[v]', '-map', '[a]', '-t', String(seconds), '-ac', '2',
    '-c:v', 'libx264', '-preset', encoder.preset, ...qualityWords(encoder), '-bf', '0',
    '-g', String(encoder['keyframe-interval-ms'] * 25 / 1000), '-x264-params', 'rc-lookahead=0:sync-lookahead=0:mbtree=0:sliced-threads=0',
    '-threads:v', encoder.threads === '0' ? '1' : encoder.threads, '-c:a', 'aac', '-aac_coder', 'fast', '-b:a', `${encoder['audio-bitrate']}k`, path.join(folder, 'out.mp4')]);
  const [user, system] = stderr.trim().split('\n').at(-1).split(' ').map(Number);
  return (user + system) / seconds;
}

export const people = [1, 2, 4, 9];

export async function run(bench) {
  for (const n of people) {
    const { worker, server, idle, uniqueFps } = await recordPeople(n);
    const name = `composed.n${n}`;
    bench.row(`${name}.worker_cores`, worker.cores, 'cores');
    bench.row(`${name}.server_cores`, server.cores, 'cores');
    bench.row(`${name}.unique_fps`, uniqueFps, 'fps', 2);
    bench.row(`${name}.worker_pss_mb`, worker.pss, 'MB', 1);
    bench.row(`${name}.server_pss_mb`, server.pss, 'MB', 1);
    const floor = measureFloor(n);
    bench.note(`codec floor: ${Object.entries(floor).map(([part, cores]) => `${part} ${cores}`).join(', ')}; server before recording: ${idle.cores.toFixed(3)}`);
    bench.row(`${name}.floor_ratio`, worker.cores / floor.total, 'ratio', 2);
    bench.row(`${name}.ffmpeg_ratio`, (await measureFfmpeg(n)) / worker.cores, 'ratio', 2);
  }
}
