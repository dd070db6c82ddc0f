// How long an application waits: for the answer to start, for the first frame on the disk, for the answer to stop.
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { Recording, median, pause, withPeople, withServer } from '../stage.mjs';

const rounds = 7;

/** The boxes between two offsets of an MP4: [{ type, at, end, whole }], the last one maybe cut off. */
function boxes(bytes, from = 0, to = bytes.length) {
  const found = [];
  for (let at = from; at + 8 <= to;) {
    const size = bytes.readUInt32BE(at);
    const type = bytes.toString('latin1', at + 4, at + 8);
    const length = size === 1 && at + 16 <= to ? Number(bytes.readBigUInt64BE(at + 8)) : size;
    if (length < 8)
      break;
    found.push({ type, at: at + 8, end: at + length, whole: at + length <= to });
    at += length;
  }
  return found;
}

const inside = (bytes, box, type) => (box && box.whole ? boxes(bytes, box.at, box.end).filter((inner) => inner.type === type) : []);

/** Whether a growing file holds a whole fragment with a frame of its video track. */
export function hasFrame(bytes) {
  const all = boxes(bytes);
  const moov = all.find(({ type }) => type === 'moov');
  const video = inside(bytes, moov, 'trak').find((trak) => {
    const [mdia] = inside(bytes, trak, 'mdia');
    const [handler] = inside(bytes, mdia, 'hdlr');
    return handler && bytes.toString('latin1', handler.at + 8, handler.at + 12) === 'vide';
  });
  const [header] = inside(bytes, video, 'tkhd');
  if (!header)
    return false;
  const id = bytes.readUInt32BE(header.at + (bytes[header.at] === 1 ? 20 : 12));
  return all.some((moof, i) => moof.type === 'moof' && all[i + 1]?.type === 'mdat' && all[i + 1].whole &&
    inside(bytes, moof, 'traf').some((traf) => {
      const [track] = inside(bytes, traf, 'tfhd');
      return track && bytes.readUInt32BE(track.at + 4) === id && inside(bytes, traf, 'trun').some((trun) => bytes.readUInt32BE(trun.at + 4) > 0);
    }));
}

function filesOf(folder) {
  try {
    return readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile() && /\.mp4(\.|$)/.test(entry.name))
      .map((entry) => path.join(entry.path, entry.name));
  } catch {
    return [];
  }
}

async function waitForFrame(folder, known, limitMs) {
  const from = performance.now();
  while (performance.now() - from < limitMs) {
    if (filesOf(folder).some((file) => !known.has(file) && hasFrame(readFileSync(file))))
      return performance.now() - from;
    await pause(0.005);
  }
  return Infinity;
}

export async function run(bench) {
  const times = { answer: [], frame: [], stop: [] };
  await withServer((server) => withPeople(server, 'bench', ['--publishers', 2], async () => {
    for (let i = 0; i < rounds; i++) {
      const known = new Set(filesOf(server.recordings));
      const frame = waitForFrame(server.recordings, known, 10000);
      const recording = await Recording.start(server, 'bench', { name: `take${i}`, resolution: '1280x720', frameRate: 25 });
      times.answer.push(recording.startMs);
      times.frame.push(await frame);
      await pause(1.5);
      times.stop.push((await recording.stop()).stopMs);
      await pause(0.5); // another spare worker comes up
    }
  }));
  for (const [name, values] of Object.entries(times))
    bench.note(`${name}: ${values.map(Math.round).join(' ')} ms`);
  bench.row('start.answer_ms', median(times.answer), 'ms', 0);
  bench.row('start.first_frame_ms', median(times.frame), 'ms', 0);
  bench.row('stop.answer_ms', median(times.stop), 'ms', 0);
}
