// What it costs to keep each stream as it was sent: nothing is decoded, so it should be next to nothing.
import { Recording, measure, pause, withPeople, withServer } from '../stage.mjs';

const seconds = 10;
const settle = 3;

/** Streams of 640x480 with sound. */
async function keepStreams(bench, n) {
  return withServer((server) => withPeople(server, 'bench', ['--publishers', n], async () => {
    const recording = await Recording.start(server, 'bench', { outputMode: 'INDIVIDUAL' });
    await pause(settle);
    const used = await measure(seconds, { worker: await recording.worker() });
    const { duration, size } = await recording.stop();
    const { events } = (await server.rest.get(`/recto/api/v1/recordings/${recording.id}/timeline`)).expect(200).json;
    const files = events.filter(({ event }) => event === 'fileEnded').length;
    bench.note(`${files} files of ${duration.toFixed(1)} s, ${(size / n / duration / 125).toFixed(0)} kbit/s for each stream`);
    if (files !== n || !(duration > seconds))
      throw new Error(`${n} streams were to be kept for ${seconds} s at least`);
    return used.worker;
  }));
}

export async function run(bench) {
  for (const n of [10, 50]) {
    const worker = await keepStreams(bench, n);
    bench.row(`local.s${n}.cores_per_stream`, worker.cores / n, 'cores', 4);
    bench.row(`local.s${n}.worker_pss_mb`, worker.pss, 'MB', 1);
  }
}
