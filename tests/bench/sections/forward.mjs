// What each subscriber of one stream costs the server.
import { measure, pause, threadsOf, withPeople, withServer } from '../stage.mjs';

const seconds = 6;

async function look(server) {
  await pause(2);
  const { server: used } = await measure(seconds, { server: server.pid });
  return { ...used, threads: threadsOf(server.pid) };
}

export async function run(bench) {
  for (const m of [5, 10, 20]) {
    await withServer((server) => withPeople(server, 'bench', [], async () => {
      const alone = await look(server);
      const watched = await withPeople(server, 'bench', ['--publishers', 0, '--watchers', m, '--name', 'watcher', '--stagger', 0.05], () => look(server));
      for (const [key, row, unit, digits] of [['cores', 'cores', 'cores', 4], ['threads', 'threads', 'threads', 1], ['pss', 'mb', 'MB', 2]])
        bench.row(`forward.s${m}.${row}`, (watched[key] - alone[key]) / m, unit, digits);
    }));
  }
}
