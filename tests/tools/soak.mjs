// make soak MINUTES=n: participants join and leave, recordings start and stop; rows tell what grew, and whether sound drifted.
import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { Load } from '../e2e/lib/load.mjs';
import * as media from '../e2e/lib/media.mjs';
import { Server, isRunning, temporaryFolder } from '../e2e/lib/server.mjs';
import { within } from '../e2e/lib/wait.mjs';

const minutes = Number(process.argv[2] ?? 10);
const small = ['--resolution', '320x240', '--rate', '15'];
const nBusy = 3;
const warmUp = 1 / 3; // share of the time after which growth counts: until then everything was in use once at the same time
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const row = (name, value, unit) => console.log(`${name} ${typeof value === 'number' ? Math.round(value * 100) / 100 : value} ${unit}`);
const problems = [];

const folder = temporaryFolder('soak');
const server = await Server.start({ name: 'soak', folder });
const start = (session) => server.rest.post('/openvidu/api/recordings/start', { session, resolution: '320x240', frameRate: 15 });
const stop = (id) => server.rest.post(`/openvidu/api/recordings/stop/${id}`);

function measure() {
  const status = readFileSync(`/proc/${server.pid}/status`, 'utf8');
  return {
    minute: performance.now() / 60000,
    kilobytes: Number(/VmRSS:\s+(\d+)/.exec(status)[1]),
    threads: Number(/Threads:\s+(\d+)/.exec(status)[1]),
    descriptors: readdirSync(`/proc/${server.pid}/fd`).length,
  };
}

/** Least squares: what is added per minute, apart from what those take who are there just now (so many descriptors). */
function slope(samples, name) {
  const mean = (of) => samples.reduce((sum, sample) => sum + of(sample), 0) / samples.length;
  const product = (x, y) => mean((s) => (s[x] - mean((t) => t[x])) * (s[y] - mean((t) => t[y])));
  const [time, present] = [product('minute', 'minute'), product('descriptors', 'descriptors')];
  const both = product('minute', 'descriptors');
  const spread = time * present - both ** 2;
  return spread > 0 ? (product('minute', name) * present - product('descriptors', name) * both) / spread : 0;
}

/** Sound minus picture in a part of the file, in ms. */
async function offset(file, from, seconds) {
  const part = path.join(folder, 'part.mkv');
  execFileSync('ffmpeg', ['-v', 'error', '-y', '-ss', String(from), '-t', String(seconds), '-i', file,
    '-c:v', 'libx264', '-preset', 'ultrafast', '-c:a', 'pcm_s16le', part]);
  const offsets = (await media.syncOffsets(part)).map(({ ms }) => ms);
  return offsets.length > 0 ? media.percentile(offsets, 0.5) : NaN;
}

const counts = { made: 0, refused: 0 };

/** Recordings of one busy session, one after the other. Nobody may be there just now: that is an answer, too. */
async function recordAgainAndAgain(session, until) {
  while (performance.now() < until) {
    const started = await start(session);
    if (started.status !== 200) {
      counts.refused++;
      if (![404, 406, 409].includes(started.status))
        problems.push(`start of ${session}: ${started.status} ${started.text}`);
      await pause(500);
      continue;
    }
    const { id } = started.json;
    await pause(4000);
    await stop(id); // 404 when its session was closed meanwhile
    const ended = await within(30, `${id} has ended`, async () => {
      const { json } = await server.rest.get(`/recto/api/v1/recordings/${id}`);
      return ['ready', 'failed'].includes(json.status) && json;
    });
    if (ended.status !== 'ready' || ended.message)
      problems.push(`${id}: ${ended.status}, ${ended.message}`);
    counts.made++;
    await server.rest.delete(`/openvidu/api/recordings/${id}`);
  }
}

const steady = new Load(server, { session: 'steady', words: [...small, '--publishers', 1, '--watchers', 1, '--flash'] });
await steady.ready();
const long = (await start('steady')).expect(200).json;
const idle = measure();
const until = performance.now() + minutes * 60000;
const busy = new Load(server, {
  session: 'busy', words: [...small, '--sessions', nBusy, '--publishers', 2, '--subscribe', '--stay', 7, '--away', 2, '--stagger', 0.5],
});
const samples = [];
const sampling = setInterval(() => samples.push(measure()), Math.max(1000, minutes * 300));
const begin = performance.now();
const telling = setInterval(() => {
  const { kilobytes, descriptors, threads } = measure();
  console.error(`soak: minute ${((performance.now() - begin) / 60000).toFixed(0)} of ${minutes}: ${counts.made} recordings, ${kilobytes} KB, ${descriptors} descriptors, ${threads} threads`);
}, 60000);
const recorders = Array.from({ length: nBusy }, (_, i) => recordAgainAndAgain(`busy-${i + 1}`, until));
await Promise.all(recorders);
clearInterval(sampling);
clearInterval(telling);
const visits = await busy.stop();
await within(30, 'descriptors and threads are given back', () => measure().threads <= idle.threads && measure().descriptors <= idle.descriptors)
  .catch((error) => problems.push(error.message));
const after = measure();
const stopped = (await stop(long.id)).expect(200).json;
const watched = await steady.stop();
const workers = server.workers();
const file = path.join(server.recordings, long.id, `${long.id}.mp4`);
const part = Math.min(60, stopped.duration / 3);

row('soak.minutes', minutes, 'min');
row('soak.joined', visits.rows['participants.joined'], 'times');
row('soak.join_failed', visits.rows['participants.failed'], 'times');
row('soak.recordings', counts.made, 'times');
row('soak.recordings_refused', counts.refused, 'times');
row('soak.rss_slope', slope(samples.slice(Math.floor(samples.length * warmUp)), 'kilobytes'), 'KB/min');
row('soak.rss_warm', samples[Math.floor(samples.length * warmUp)].kilobytes, 'KB');
row('soak.rss_start', idle.kilobytes, 'KB');
row('soak.rss_end', after.kilobytes, 'KB');
row('soak.descriptors_start', idle.descriptors, 'n');
row('soak.descriptors_end', after.descriptors, 'n');
row('soak.threads_start', idle.threads, 'n');
row('soak.threads_end', after.threads, 'n');
row('soak.watched_lost', watched.rows['received.video_lost'], 'packets');
row('soak.watched_freezes', watched.rows['received.freezes'], 'times');
row('soak.long_duration', stopped.duration, 's');
row('soak.av_offset_start', await offset(file, 1, part), 'ms');
row('soak.av_offset_end', await offset(file, stopped.duration - part - 1, part), 'ms');

const complaints = await media.decodeComplaints(file);
const end = await server.stop();
if (complaints !== '')
  problems.push(`the long recording: ${complaints}`);
if (end.code !== 0)
  problems.push(`the server ended with ${JSON.stringify(end)}\n${server.log().split('\n').slice(-40).join('\n')}`);
// A session ends with its last participant, also between somebody's token and his coming in.
const isUsual = (line) => /^recto-load: ready: |joinRoom is refused with 202: /.test(line);
const said = visits.said.split('\n').filter((line) => line.startsWith('recto-load: ') && !isUsual(line));
if (visits.code !== 0 && said.length > 0)
  problems.push(`the visitors: ${said.slice(-10).join('\n')}`);
await within(10, 'all workers are gone', () => !workers.some(({ pid }) => isRunning(pid))).catch((error) => problems.push(error.message));
problems.forEach((problem) => console.error(`soak: ${problem}`));
process.exit(problems.length > 0 ? 1 : 0);
