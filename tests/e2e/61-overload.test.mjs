// What is told when the machine, the disk, its folder or the descriptors have no room, and that what runs goes on.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, readFileSync, readdirSync, renameSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after } from 'node:test';
import { Guest } from './lib/guest.mjs';
import * as media from './lib/media.mjs';
import { Server, temporaryFolder } from './lib/server.mjs';
import { Stage, lasts } from './lib/suite.mjs';
import { record, within } from './lib/wait.mjs';

/** As the server counts them: processors, or what the control groups that we are in leave of them. */
function countCores() {
  const read = (...names) => {
    const file = path.join(...names);
    return existsSync(file) ? readFileSync(file, 'utf8').split(' ').map(Number) : [];
  };
  const upwards = (group) => [group, ...(group === '/' ? [] : upwards(path.dirname(group)))];
  let cores = Number(execFileSync('nproc'));
  for (const line of readFileSync('/proc/self/cgroup', 'utf8').split('\n').filter(Boolean)) {
    const [, controllers, group] = line.split(':');
    const top = path.join('/sys/fs/cgroup', controllers.replace(/^name=/, ''));
    for (const folder of upwards(group)) {
      const [quota, period] = controllers === '' ? read(top, folder, 'cpu.max')
        : [...read(top, folder, 'cpu.cfs_quota_us'), ...read(top, folder, 'cpu.cfs_period_us')];
      if (quota > 0 && period > 0)
        cores = Math.min(cores, quota / period);
    }
  }
  return cores;
}
const percent = Math.min(100, Math.max(1, Math.round(100 / countCores()))); // about one core
const small = { resolution: '320x240', frameRate: 15 };
const huge = { resolution: '1920x1080', frameRate: 30 };
const stage = new Stage({
  name: 'overload', browser: false,
  settings: { 'recording.max-cpu-percent': percent, 'encoder.preset': 'medium' },
});
const others = [];
after(async () => {
  for (const server of others)
    assert.deepEqual(await server.stop(), { code: 0, signal: null }, server.log());
});

async function anotherServer(options) {
  const server = await Server.start(options);
  others.push(server);
  return server;
}

/** A session with somebody in it. */
async function occupied(server = stage.server) {
  const session = (await server.rest.post('/openvidu/api/sessions', {})).expect(200).json.id;
  const { token } = (await server.rest.post(`/openvidu/api/sessions/${session}/connection`, {})).expect(200).json;
  return { session, guest: await Guest.join(token) };
}

const ask = (server, session, properties = small) => server.rest.post('/openvidu/api/recordings/start', { session, ...properties });

async function recorded(server = stage.server) {
  const { session, guest } = await occupied(server);
  const askedAt = Date.now();
  const { id } = (await ask(server, session)).expect(200).json;
  return { server, session, guest, id, askedAt, startedAt: Date.now() };
}

const file = ({ server, id }) => path.join(server.recordings, id, `${id}.mp4`);
const explained = async ({ server, id }) => (await server.rest.get(`/recto/api/v1/recordings/${id}`)).expect(200).json;
const entity = ({ server, id }) => JSON.parse(readFileSync(path.join(server.recordings, id, `.recording.${id}`), 'utf8'));
const ended = (recording) => within(20, `recording ${recording.id} has ended`, async () => {
  const now = await explained(recording);
  return ['ready', 'failed'].includes(now.status) && now;
});

async function plays(recording, [from, to]) {
  lasts((await media.probe(file(recording))).duration, [from, to]);
  assert.equal(await media.decodeComplaints(file(recording)), '');
}

/** It went on all the time, and is whole. */
async function endsWell(recording) {
  const stoppedAt = Date.now();
  const answer = (await recording.server.rest.post(`/openvidu/api/recordings/stop/${recording.id}`)).expect(200).json;
  assert.equal(answer.status, 'ready');
  await plays(recording, [(stoppedAt - recording.startedAt) / 1000, (stoppedAt - recording.askedAt) / 1000]);
  const { message, notes } = await explained(recording);
  assert.equal(message ?? null, null, notes.join());
  recording.guest.drop();
}

stage.test('a recording that the machine has no room for is refused, and may be asked for again', async (t) => {
  const running = await recorded();
  const { session, guest } = await occupied();
  const refused = (await ask(stage.server, session, huge)).expect(503);
  t.diagnostic(refused.json.message);
  assert.match(refused.json.message, /no room for another recording: 1 running ones use [0-9.]+ cores and this one is estimated to need [0-9.]+/);
  assert.match(refused.json.message, new RegExp(`recording.max-cpu-percent \\(${percent}\\)`));
  assert.ok(Number(refused.headers['retry-after']) > 0, JSON.stringify(refused.headers));
  assert.match(stage.server.log(), /no room for another recording/);
  assert.equal((await stage.rest.get(`/openvidu/api/recordings/${session}`)).status, 404);
  assert.ok(!existsSync(path.join(stage.server.recordings, session)));

  const modest = (await ask(stage.server, session)).expect(200).json;
  await record(1);
  (await stage.rest.post(`/openvidu/api/recordings/stop/${modest.id}`)).expect(200);
  guest.drop();
  await endsWell(running);
});

stage.test('before the disk is full recordings are ended and finished, and none begins', async (t) => {
  const folder = temporaryFolder('disk');
  const { bavail, bsize } = statfsSync(folder);
  const margin = Math.min(512 << 20, Math.floor(bavail * bsize / 4));
  const server = await anotherServer({ folder, settings: { 'recording.end-free-bytes': bavail * bsize - margin } });
  const filler = path.join(folder, 'filler');
  const running = [await recorded(server), await recorded(server)];
  await record(1.5);
  const [running0, running1] = await Promise.all(running.map(explained));
  assert.deepEqual([running0.status, running1.status], ['started', 'started'], 'something else fills the disk');
  execFileSync('fallocate', ['-x', '-l', String(2 * margin), filler]);
  const filledAt = Date.now();
  for (const recording of running) {
    const { status, reason, message } = await ended(recording);
    t.diagnostic(message);
    assert.equal(status, 'ready');
    assert.equal(reason, 'automaticStop');
    assert.match(message, /the disk of the recordings has \d+ bytes left, fewer than recording.end-free-bytes/);
    assert.equal(entity(recording).message, message);
    await plays(recording, [(filledAt - recording.startedAt) / 1000, (Date.now() - recording.askedAt) / 1000]);
    const told = await within(5, 'the session is told', () => recording.guest.events.find(({ method }) => method === 'recordingStopped'));
    assert.equal(told.params.reason, 'automaticStop');
  }
  assert.match(server.log(), /fewer than recording.end-free-bytes: the recording was ended/);
  const refused = (await ask(server, running[0].session)).expect(503);
  assert.match(refused.json.message, /the disk of the recordings has \d+ bytes left/);
  assert.ok(Number(refused.headers['retry-after']) > 0);
  rmSync(filler);
  const again = (await ask(server, running[0].session)).expect(200).json;
  (await server.rest.post(`/openvidu/api/recordings/stop/${again.id}`)).expect(200);
  running.forEach(({ guest }) => guest.drop());
});

stage.test('a folder that is taken away costs the recording in it', async (t) => {
  const neighbour = await recorded();
  const victim = await recorded();
  await record(1);
  rmSync(path.join(stage.server.recordings, victim.id), { recursive: true });
  const stopped = (await stage.rest.post(`/openvidu/api/recordings/stop/${victim.id}`)).expect(200).json;
  assert.equal(stopped.status, 'failed');
  const { message } = await explained(victim);
  t.diagnostic(message);
  assert.match(message, /No such file or directory/);
  assert.match(stage.server.log(), new RegExp(`${victim.id}.*No such file or directory`));
  (await stage.rest.delete(`/openvidu/api/recordings/${victim.id}`)).expect(204);
  victim.guest.drop();

  const { recordings } = stage.server;
  const { session, guest } = await occupied();
  renameSync(recordings, `${recordings}.aside`);
  try {
    for (const obstacle of [() => {}, () => writeFileSync(recordings, 'a file')]) {
      obstacle();
      const refused = (await ask(stage.server, session)).expect(503);
      assert.match(refused.json.message, /cannot look at the folder of the recordings|cannot make the folder/);
    }
  } finally {
    rmSync(recordings, { force: true });
    renameSync(`${recordings}.aside`, recordings);
  }
  const again = (await ask(stage.server, session)).expect(200).json;
  (await stage.rest.post(`/openvidu/api/recordings/stop/${again.id}`)).expect(200);
  guest.drop();
  await endsWell(neighbour);
});

// The superuser may write anywhere, unless this right is taken from it.
const plainRights = process.getuid() === 0
  ? ['setpriv', '--bounding-set=-dac_override,-dac_read_search', '--inh-caps=-dac_override,-dac_read_search'] : [];

stage.test('a folder made read-only takes no further recording, and keeps those that run', async (t) => {
  const server = await anotherServer({ name: 'readonly', wrapper: plainRights });
  const running = await recorded(server);
  const { session, guest } = await occupied(server);
  chmodSync(server.recordings, 0o555);
  const refused = (await ask(server, session)).expect(503);
  t.diagnostic(refused.json.message);
  assert.match(refused.json.message, /cannot make the folder '.*': Permission denied/);
  assert.ok(!existsSync(path.join(server.recordings, session)));
  await record(1);

  chmodSync(path.join(server.recordings, running.id), 0o555);
  const stopped = (await server.rest.post(`/openvidu/api/recordings/stop/${running.id}`)).expect(200).json;
  assert.equal(stopped.status, 'failed');
  assert.match((await explained(running)).message, /Permission denied/);
  chmodSync(server.recordings, 0o755);
  chmodSync(path.join(server.recordings, running.id), 0o755);
  const again = (await ask(server, session)).expect(200).json;
  (await server.rest.post(`/openvidu/api/recordings/stop/${again.id}`)).expect(200);
  guest.drop();
  running.guest.drop();
});

stage.test('at the limit of open files a start is refused, and what runs goes on', async (t) => {
  const server = await anotherServer({ name: 'files', settings: { 'recording.spare-workers': 0 } });
  const running = await recorded(server);
  const { session, guest } = await occupied(server);
  const limit = (n) => execFileSync('prlimit', ['--pid', String(server.pid), `--nofile=${n}:`]);
  const before = /Max open files +(\d+)/.exec(readFileSync(`/proc/${server.pid}/limits`, 'utf8'))[1];
  const nOpen = () => readdirSync(`/proc/${server.pid}/fd`).length;
  // A request's own connection takes one.
  limit(nOpen() + 2);
  const refused = await ask(server, session);
  t.diagnostic(`${refused.status}: ${refused.json.message}`);
  assert.ok([500, 503].includes(refused.status), refused.text);
  assert.match(refused.json.message, /Too many open files/);
  limit(before);
  const again = (await ask(server, session)).expect(200).json;
  (await server.rest.post(`/openvidu/api/recordings/stop/${again.id}`)).expect(200);
  guest.drop();
  await endsWell(running);
});

stage.test('200 who join and leave take nothing with them', async (t) => {
  const { session, guest } = await occupied();
  const proc = (name) => `/proc/${stage.server.pid}/${name}`;
  const used = () => ({
    descriptors: readdirSync(proc('fd')).length,
    threads: readdirSync(proc('task')).length,
    kilobytes: Number(/VmRSS:\s+(\d+)/.exec(readFileSync(proc('status'), 'utf8'))[1]),
  });
  const visit = async () => {
    const visitor = await Guest.join(await stage.token(session));
    await visitor.leave();
  };
  const visits = async (n) => {
    for (let i = 0; i < n; i++)
      await visit();
    await within(30, 'nobody else is in the session', async () => (await stage.rest.get(`/openvidu/api/sessions/${session}`)).json.connections.numberOfElements === 1);
    return used();
  };
  const before = await visits(100);
  // What a visit takes with it is missing in every round; what an allocator keeps for later, in one.
  const growths = [];
  for (let last = before; growths.length < 3 && (growths.at(-1) ?? Infinity) >= 1000;) {
    const now = await visits(200);
    growths.push(now.kilobytes - last.kilobytes);
    last = now;
  }
  t.diagnostic(`KB more after each 200 visits: ${growths.join(', ')}`);
  assert.ok(growths.at(-1) < 1000, `each 200 visits take ${growths.join(', ')} KB`);
  await within(30, 'descriptors and threads are given back', () => used().descriptors <= before.descriptors && used().threads <= before.threads);
  guest.drop();
}, { seconds: 240 });

stage.test('a session that nobody joins is closed', async () => {
  const server = await anotherServer({ name: 'garbage', settings: { 'openvidu.sessions.garbage-interval': 1, 'openvidu.sessions.garbage-threshold': 1 } });
  const { id } = (await server.rest.post('/openvidu/api/sessions', {})).expect(200).json;
  await within(20, 'it is gone', async () => (await server.rest.get(`/openvidu/api/sessions/${id}`)).status === 404);
});

stage.test('asked to stop, the server finishes five recordings', async () => {
  const server = await anotherServer({ name: 'five' });
  const recordings = [];
  for (let i = 0; i < 5; i++)
    recordings.push(await recorded(server));
  await record(1);
  const stoppedAt = Date.now();
  assert.deepEqual(await server.stop('SIGTERM'), { code: 0, signal: null }, server.log());
  for (const recording of recordings) {
    const { status, reason, message } = entity(recording);
    assert.deepEqual({ status, reason, message: message ?? null }, { status: 'ready', reason: 'openviduServerStopped', message: null });
    const { duration } = await media.probe(file(recording));
    lasts(duration, [(stoppedAt - recording.startedAt) / 1000, (Date.now() - recording.askedAt) / 1000]);
    assert.equal(await media.decodeComplaints(file(recording)), '');
  }
});
