// How many small recordings run at once without losing pictures or sound.
import * as media from '../../e2e/lib/media.mjs';
import { Recording, countUniqueFrames, pause, withPeople, withServer } from '../stage.mjs';

const seconds = 8;
const settle = 2;
const tones = [500, 700]; // of the first two of recto-load
const least = 0.1; // half as loud as they are said
const most = 32;

/** Tenths of seconds in which one of the tones is missing. */
async function countSilences(file, from, to) {
  const samples = await media.sound(file);
  let silences = 0;
  for (let at = from; at + 0.1 <= to; at += 0.1)
    silences += tones.some((hertz) => !(media.loudness(samples, hertz, at, at + 0.15) > least)) ? 1 : 0;
  return silences;
}

async function judge({ file, duration }) {
  const [from, to] = [duration - seconds - 0.3, duration - 0.3];
  const { unique } = await countUniqueFrames(file, from, to);
  return { share: unique / (15 * seconds), silences: await countSilences(file, from, to) };
}

/** Whether n recordings at once hold what they should. */
async function holds(bench, n) {
  const words = ['--sessions', n, '--publishers', 2, '--resolution', '640x480', '--rate', 15, '--stagger', 0.02];
  const judged = await withServer((server) => withPeople(server, 'small', words, async () => {
    const sessions = [...Array(n).keys()].map((i) => (n === 1 ? 'small' : `small-${i + 1}`));
    const running = await Promise.all(sessions.map((session) => Recording.start(server, session, { resolution: '640x480', frameRate: 15 })));
    await pause(settle + seconds);
    const stopped = await Promise.all(running.map((recording) => recording.stop()));
    const results = [];
    for (const recording of stopped)
      results.push(await judge(recording));
    return results;
  }));
  const share = Math.min(...judged.map((one) => one.share));
  const silences = judged.reduce((sum, one) => sum + one.silences, 0);
  bench.note(`${n} small recordings: ${(share * 100).toFixed(1)} % of the frames in the worst, ${silences} tenths of seconds of sound missing`);
  return share >= 0.95 && silences === 0;
}

/** By halves between what held and what didn't, down to two: nearer to the limit, what holds once fails another time. */
export async function run(bench) {
  let [held, failed] = [0, most + 1];
  for (let n = 8; failed - held > 2; n = failed > most ? held + 4 : Math.floor((held + failed) / 2)) {
    if (n > most)
      break;
    if (await holds(bench, n).catch((error) => bench.note(`${n} small recordings: ${error.message.split('\n')[0]}`)))
      held = n;
    else
      failed = n;
  }
  bench.row('small.concurrent', held, 'recordings');
}
