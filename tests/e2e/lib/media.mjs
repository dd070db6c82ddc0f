// Judges recorded files by what ffprobe and ffmpeg make of them: sizes, rates, colours in places, tones in seconds, sync.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { distance } from './browser.mjs';
import { palette } from './palette.mjs';

const run = promisify(execFile);
const big = { encoding: 'buffer', maxBuffer: 1 << 30 };
export const rate = 48000;

export async function probe(file) {
  const { stdout } = await run('ffprobe', ['-v', 'error', '-show_streams', '-show_format', '-of', 'json', file]);
  const { streams, format } = JSON.parse(stdout);
  return {
    video: streams.find((s) => s.codec_type === 'video'),
    audio: streams.find((s) => s.codec_type === 'audio'),
    duration: Number(format.duration),
    format: format.format_name,
  };
}

/** Presentation times of all frames in seconds, in order. */
export async function frameTimes(file) {
  const { stdout } = await run('ffprobe', ['-v', 'error', '-select_streams', 'v', '-show_entries', 'packet=pts_time',
    '-of', 'csv=p=0', file], big);
  return stdout.toString().split('\n').map(parseFloat).filter(Number.isFinite).sort((a, b) => a - b);
}

/** What a strict decoder complains about; empty for a sound file. options: of the decoder's output. */
export async function decodeComplaints(file, ...options) {
  const { stderr } = await run('ffmpeg', ['-v', 'error', '-xerror', '-i', file, ...options, '-f', 'null', '-'], big)
    .catch((error) => ({ stderr: `${error.stderr}${error.message}` }));
  return stderr.toString().trim();
}

/** size: what it is scaled to, for a file whose pictures change theirs; otherwise the file's own. */
export async function frameAt(file, seconds, size) {
  const { width, height } = size ?? (await probe(file)).video;
  const { stdout } = await run('ffmpeg', ['-v', 'error', '-ss', seconds.toFixed(3), '-i', file, '-frames:v', '1',
    '-vf', size ? `scale=${width}:${height}` : 'null', '-f', 'rawvideo', '-pix_fmt', 'rgb24', '-'], big);
  if (stdout.length !== width * height * 3)
    throw new Error(`${file} has no frame at ${seconds} s`);
  return { width, height, data: stdout };
}

/** When the picture is another than the one before, in seconds. */
export async function moves(file) {
  const { stdout } = await run('ffmpeg', ['-v', 'error', '-i', file, '-an', '-vf', 'scale=160:120:flags=area', '-fps_mode', 'passthrough',
    '-f', 'rawvideo', '-pix_fmt', 'gray', '-'], big);
  const times = await frameTimes(file);
  const size = 160 * 120;
  const differs = (i) => {
    for (let at = i * size; at < (i + 1) * size; at++)
      if (Math.abs(stdout[at] - stdout[at - size]) > 8)
        return true;
    return false;
  };
  return times.filter((_, i) => i > 0 && (i + 1) * size <= stdout.length && differs(i));
}

// The nearest colour of the palette for each colour of 5 bits per channel.
const nearest = Array.from({ length: 1 << 15 }, (_, index) => {
  const rgb = [index >> 10, (index >> 5) & 31, index & 31].map((value) => value * 8 + 4);
  const names = Object.keys(palette);
  return names.reduce((a, b) => (distance(rgb, palette[b]) < distance(rgb, palette[a]) ? b : a));
});
const nearestColour = (data, at) => nearest[((data[at] >> 3) << 10) | ((data[at + 1] >> 3) << 5) | (data[at + 2] >> 3)];

/** The first and last index where a count reaches a third of the greatest count. */
function extent(counts) {
  const enough = Math.max(...counts) / 3;
  const first = counts.findIndex((n) => n >= enough);
  return [first, counts.findLastIndex((n) => n >= enough) + 1 - first];
}

/** Where each colour of the palette is: { red: { x, y, width, height } }; specks under 0.5 % of the picture don't count. */
export function tiles({ width, height, data }) {
  const found = {};
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const name = nearestColour(data, (y * width + x) * 3);
      found[name] ??= { pixels: 0, columns: Array(width).fill(0), rows: Array(height).fill(0) };
      found[name].pixels++;
      found[name].columns[x]++;
      found[name].rows[y]++;
    }
  }
  const rectangles = {};
  for (const [name, { pixels, columns, rows }] of Object.entries(found)) {
    if (pixels < (width * height) / 200)
      continue;
    const [x, w] = extent(columns);
    const [y, h] = extent(rows);
    rectangles[name] = { x, y, width: w, height: h };
  }
  return rectangles;
}

/** The best_fit rectangles for streams that all have pictures, as [x, y, width, height]; worked out by hand. */
export const golden = {
  '1280x720': {
    1: [[0, 0, 1280, 720]],
    2: [[0, 0, 640, 720], [640, 0, 640, 720]],
    3: [[0, 40, 426, 640], [426, 40, 426, 640], [852, 40, 426, 640]],
    4: [[0, 0, 640, 360], [640, 0, 640, 360], [0, 360, 640, 360], [640, 360, 640, 360]],
  },
  '640x360': {
    1: [[0, 0, 640, 360]],
    2: [[0, 0, 320, 360], [320, 0, 320, 360]],
    3: [[0, 20, 213, 319], [213, 20, 213, 319], [426, 20, 213, 319]],
    4: [[0, 0, 320, 180], [320, 0, 320, 180], [0, 180, 320, 180], [320, 180, 320, 180]],
  },
};

/** What is wrong with a frame that should show these colours in this order; null when nothing is. */
export function misplaced(frame, colours) {
  const seen = tiles(frame);
  const expected = golden[`${frame.width}x${frame.height}`][colours.length] ?? [];
  const wrong = [];
  colours.forEach((colour, i) => {
    const tile = seen[colour];
    const got = tile && [tile.x, tile.y, tile.width, tile.height];
    const ends = ([x, y, w, h]) => [x, y, x + w, y + h];
    if (!got || ends(got).some((value, side) => Math.abs(value - ends(expected[i])[side]) > 2))
      wrong.push(`${colour} is at ${got ?? 'no place'} instead of ${expected[i]}`);
  });
  for (const colour of Object.keys(seen))
    if (!['black', 'white', ...colours].includes(colour))
      wrong.push(`${colour} should not be there`);
  if (colours.length === 0 && Object.keys(seen).join() !== 'black')
    wrong.push('the picture should be black');
  return wrong.length > 0 ? wrong.join('; ') : null;
}

/** All sound of a file: mono, 48 kHz, placed by its timestamps. */
export async function sound(file) {
  const { stdout } = await run('ffmpeg', ['-v', 'error', '-i', file, '-vn', '-ac', '1', '-ar', String(rate),
    '-af', 'aresample=async=1:first_pts=0', '-f', 'f32le', '-'], big);
  return new Float32Array(stdout.buffer, stdout.byteOffset, Math.floor(stdout.length / 4));
}

// Goertzel: 0.2 for a sine of amplitude 0.2.
function amplitude(samples, hertz, start, length) {
  const turn = 2 * Math.cos((2 * Math.PI * hertz) / rate);
  let before = 0;
  let last = 0;
  for (let i = start; i < start + length; i++)
    [before, last] = [last, samples[i] + turn * last - before];
  return (2 * Math.sqrt(last * last + before * before - turn * last * before)) / length;
}

/** How loud one frequency is between two times, on average over tenths of a second: long enough to tell tones that are
 * 100 Hz apart, short enough not to mind that clocks drift. */
export function loudness(samples, hertz, from, to) {
  const step = rate / 10;
  let sum = 0;
  let n = 0;
  for (let i = Math.round(from * rate); i + step <= Math.min(to * rate, samples.length); i += step, n++)
    sum += amplitude(samples, hertz, i, step);
  return sum / n;
}

/** Which of the tones are heard in a span of a file; half of the emitted loudness and more counts. */
export const heard = (samples, tones, from, to) => tones.filter((hertz) => loudness(samples, hertz, from, to) > 0.05);

async function flashes(file) {
  const { stdout } = await run('ffmpeg', ['-v', 'error', '-i', file, '-an', '-vf', 'scale=1:1:flags=area', '-fps_mode', 'passthrough',
    '-f', 'rawvideo', '-pix_fmt', 'gray', '-'], big);
  const times = await frameTimes(file);
  const onsets = [];
  for (let i = 1; i < stdout.length; i++)
    if (stdout[i] > 128 && stdout[i - 1] <= 128)
      onsets.push(times[i]);
  return onsets;
}

function beeps(samples) {
  const step = rate / 500;
  const onsets = [];
  let quiet = 0;
  for (let i = 0; i + step < samples.length; i += step) {
    const loud = samples.subarray(i, i + step).some((value) => Math.abs(value) > 0.1);
    if (loud && quiet > 100)
      onsets.push(i / rate);
    quiet = loud ? 0 : quiet + 1;
  }
  return onsets;
}

/** For each flash that has its beep, at most so many ms from it: when, and sound minus picture in ms. */
export async function syncOffsets(file, most = 400) {
  const sounds = beeps(await sound(file));
  const pairs = (await flashes(file)).map((at) => {
    const nearestBeep = sounds.reduce((a, b) => (Math.abs(b - at) < Math.abs(a - at) ? b : a), Infinity);
    return { at, ms: (nearestBeep - at) * 1000 };
  });
  return pairs.filter(({ ms }) => Math.abs(ms) < most);
}

export function percentile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)];
}

/** One picture with a frame of every few seconds. */
export async function contactSheet(file, picture, { every, columns, rows, width = 320 }) {
  await run('ffmpeg', ['-v', 'error', '-y', '-i', file, '-vf',
    `fps=1/${every}:round=down,scale=${width}:-2,tile=${columns}x${rows}:padding=4:color=white`, '-frames:v', '1', '-update', '1', picture]);
}
