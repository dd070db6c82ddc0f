// What sections share: a server without limits, people without browsers, recordings, and their files.
import { execFile, execFileSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { Load } from '../e2e/lib/load.mjs';
import { Server, build } from '../e2e/lib/server.mjs';
import { within } from '../e2e/lib/wait.mjs';

const run = promisify(execFile);

export const pause = (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));
export const tool = (name) => path.join(build, 'tests/bench', name);

/** Encoder settings of the default profile: { preset, quality, ... } */
export function defaults() {
  const printed = execFileSync(path.join(build, 'recto'), ['--print-config'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  const section = /^\[encoder\]\n([^[]*)/m.exec(printed)[1];
  return Object.fromEntries([...section.matchAll(/^([a-z-]+) = (.*)$/gm)].map(([, key, value]) => [key, value]));
}

/** A server of its own; admission by cost is off: the bench wants to see what happens then. */
export async function withServer(use, settings = {}) {
  const server = await Server.start({
    name: 'bench',
    settings: { 'recording.max-cpu-percent': 0, 'recording.max-memory-percent': 0, 'recording.max-recordings': 100, ...settings },
  });
  try {
    return await use(server);
  } finally {
    await server.stop();
  }
}

/** People who are in while use runs: words are options of recto-load. Gives what use gives; their report is checked for failures. */
export async function withPeople(server, session, words, use) {
  const people = new Load(server, { session, words });
  try {
    await people.ready();
    return await use(people);
  } finally {
    const { rows, said } = await people.stop();
    if (rows['participants.failed'] !== 0)
      console.log(`# participants failed: ${said.replaceAll('\n', '; ')}`);
  }
}

export class Recording {
  static async start(server, session, properties = {}) {
    const answer = await server.rest.post('/openvidu/api/recordings/start', { session, ...properties });
    return Object.assign(new Recording(), { server, id: answer.expect(200).json.id, startMs: answer.ms });
  }

  /** The process that makes it. */
  async worker() {
    const worker = await within(10, 'the recording has a worker', () => this.server.workerOf(this.id));
    return worker.pid;
  }

  async stop() {
    const answer = await this.server.rest.post(`/openvidu/api/recordings/stop/${this.id}`);
    const entity = answer.expect(200).json;
    return Object.assign(entity, { stopMs: answer.ms, file: path.join(this.server.recordings, this.id, `${entity.name}.mp4`) });
  }
}

/** CPU seconds per second and PSS in MB of processes, each a pid or a function that lists pids. */
export async function measure(seconds, processes) {
  const cpu = () => Object.fromEntries(Object.entries(processes).map(([name, pids]) => [name, list(pids).map((pid) => [pid, processCpu(pid)])]));
  const before = cpu();
  const from = performance.now();
  await pause(seconds);
  const after = cpu();
  const passed = (performance.now() - from) / 1000;
  const result = {};
  for (const [name, pids] of Object.entries(processes)) {
    const were = new Map(before[name]);
    const spent = after[name].reduce((sum, [pid, value]) => sum + value - (were.get(pid) ?? 0), 0);
    result[name] = { cores: spent / passed, pss: list(pids).reduce((sum, pid) => sum + pssOf(pid), 0) };
  }
  return result;
}

const list = (pids) => (typeof pids === 'function' ? pids() : [pids]);

/** Seconds of processor that a process took so far, its dead children not counted; 0 when it is gone. */
export function processCpu(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) / 100; // clock ticks, always 100 a second for user space
  } catch {
    return 0;
  }
}

export function pssOf(pid) {
  try {
    return Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))[1]) / 1024;
  } catch {
    return 0;
  }
}

export const threadsOf = (pid) => readdirSync(`/proc/${pid}/task`).length;

/** A process and all that came of it. */
export function treeOf(root) {
  const parents = new Map();
  for (const entry of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const stat = readFileSync(`/proc/${entry}/stat`, 'utf8');
      parents.set(Number(entry), Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]));
    } catch {
      // gone between the listing and the look
    }
  }
  const tree = [root];
  for (let i = 0; i < tree.length; i++)
    for (const [pid, parent] of parents)
      if (parent === tree[i])
        tree.push(pid);
  return tree;
}

export const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];

/** How many frames between two times differ from the one before, the first one counted: decoded, made small, and compared. A repeated frame differs by what the
 * encoder still mends, a new one at least in the cells of its time stamp. */
export async function countUniqueFrames(file, from, to) {
  const [width, height] = [160, 90];
  const { stdout } = await run('ffmpeg', ['-v', 'error', '-threads', '1', '-i', file, '-ss', String(from), '-to', String(to), '-an', '-vf',
    `scale=${width}:${height}:flags=area,format=gray`, '-fps_mode', 'passthrough', '-f', 'rawvideo', '-'], { encoding: 'buffer', maxBuffer: 2 ** 30 });
  const size = width * height;
  let unique = stdout.length > 0 ? 1 : 0; // nothing comes before the first one
  for (let at = size; at < stdout.length; at += size) {
    let most = 0;
    for (let i = 0; i < size; i++)
      most = Math.max(most, Math.abs(stdout[at + i] - stdout[at + i - size]));
    unique += most > 24 ? 1 : 0;
  }
  return { unique, frames: stdout.length / size };
}

const serverTakes = (way, what) => Math.max(0, way.server[what] - way.idle[what]);

/** What a way to record takes, 'cores' or 'pss': its recorder, and what the server takes more than it did before (idle). */
export const takes = (way, what) => way.recorder[what] + serverTakes(way, what);

/** The same in words. */
export const describeTaken = (way) =>
  `${way.recorder.cores.toFixed(3)} cores and ${way.recorder.pss.toFixed(0)} MB, and of the server ` +
  `${serverTakes(way, 'cores').toFixed(3)} cores and ${serverTakes(way, 'pss').toFixed(0)} MB more than before`;
