// Limits of a recording, what the CDR file tells of it, the log's format, SIGHUP, and a server that is drained.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, readFileSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { connect } from 'node:tls';
import * as media from './lib/media.mjs';
import { Rpc } from './lib/rpc.mjs';
import { temporaryFolder } from './lib/server.mjs';
import { Stage } from './lib/suite.mjs';
import { within } from './lib/wait.mjs';

const folder = temporaryFolder('drain-settings');
const config = path.join(folder, 'recto.ini');
const settle = (level, extra = '') => writeFileSync(config, `[log]\nlevel = ${level}\nformat = json\n${extra}`);
settle('debug');

const cdr = path.join(folder, 'cdr');
const stage = new Stage({ name: 'drain', config, settings: { 'openvidu.cdr': true, 'openvidu.cdr.path': cdr } });
const small = { resolution: '320x240', frameRate: 15 };

let film; // a finished recording

const linesOf = (file) => readFileSync(path.join(cdr, file), 'utf8').trim().split('\n').filter(Boolean).map((line) => Object.entries(JSON.parse(line))[0]);
const logs = () => stage.server.log().split('\n').filter((line) => line.startsWith('{')).map((line) => JSON.parse(line));
const told = (pattern, from = 0) => logs().slice(from).some(({ message }) => pattern.test(message));
const get = async (address) => (await stage.rest.get(address)).expect(200);

/** { name: value, 'name{labels}': value } */
async function metrics() {
  const samples = (await get('/metrics')).text.split('\n').filter((line) => line && !line.startsWith('#'));
  return Object.fromEntries(samples.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]));
}

stage.test('a recording ends at its maxDuration, and metrics, log and CDR tell of it', async (t) => {
  const session = await stage.session();
  const anna = await stage.enter(session, { name: 'anna', colour: 'green', tone: 500 });
  const { id } = await stage.startRecording(session, { ...small, maxDuration: 10 });
  const during = await within(20, 'packets flow and the worker was measured', async () => {
    const found = await metrics();
    const feed = Object.keys(found).find((key) => key.startsWith(`recto_feed_packets_total{recording="${id}"`) && key.endsWith('result="sent"}'));
    return found[feed] > 0 && found[`recto_recording_cpu_seconds_total{recording="${id}"}`] > 0 && found;
  });
  assert.equal(during['recto_recordings{status="started"}'], 1);
  assert.equal(during.recto_streams, 1);
  assert.ok(during['recto_packets_total{direction="in"}'] > 0);

  const ended = await within(20, 'it ended by itself', async () => {
    const found = (await get(`/recto/api/v1/recordings/${id}`)).json;
    return found.status === 'ready' && found;
  });
  film = path.join(stage.server.recordings, id, `${id}.mp4`);
  assert.equal(ended.reason, 'maxDurationReached');
  assert.match(ended.notes[0], /after 10 s \(maxDuration/);
  assert.ok(ended.duration > 9 && ended.duration < 20, `${ended.duration} s`);
  t.diagnostic(`${ended.duration} s, ${ended.size} bytes`);
  assert.deepEqual((await anna.waitForEvent('recordingStopped', undefined, 10)).reason, 'maxDurationReached');
  (await stage.rest.delete(`/openvidu/api/sessions/${session}`)).expect(204);

  const facts = await within(10, 'the session is told to its end', () => {
    const found = linesOf('CDR.log').filter(([, fact]) => fact.sessionId === session);
    return found.at(-1)?.[0] === 'sessionDestroyed' && found;
  });
  assert.deepEqual(facts.map(([name, { status }]) => status ?? name), [
    'sessionCreated', 'participantJoined', 'webrtcConnectionCreated', 'started', 'stopped', 'ready',
    'webrtcConnectionDestroyed', 'participantLeft', 'sessionDestroyed',
  ]);
  const [, ready] = facts[5];
  assert.equal(ready.size, ended.size);
  assert.equal(ready.reason, 'maxDurationReached');
  assert.equal(facts[8][1].reason, 'sessionClosedByServer');

  const ofWorker = logs().filter(({ topic }) => topic.startsWith('rec.worker'));
  assert.ok(ofWorker.some(({ recording }) => recording === id), 'the worker names its recording');
});

stage.test('SIGHUP opens the CDR file anew, takes levels and says what needs a restart', async () => {
  const from = logs().length;
  renameSync(path.join(cdr, 'CDR.log'), path.join(cdr, 'moved.log'));
  settle('message', '[recording]\nmax-recordings = 7\nspare-workers = 2\n');
  stage.server.child.kill('SIGHUP');
  await within(10, 'both are told', () => told(/^these settings changed: .*log\.level.*/, from) && told(/at the next start only: recording.spare-workers$/, from));
  assert.ok(told(/^these settings changed: .*recording.max-recordings/, from));
  assert.equal((await get('/recto/api/v1/log')).json.level, 'message');
  await within(10, 'the file is there again', () => existsSync(path.join(cdr, 'CDR.log')));
  settle('loud');
  stage.server.child.kill('SIGHUP');
  await within(10, 'the mistake is told', () => told(/^cannot read the settings again.*loud/, from));
  assert.equal((await get('/recto/api/v1/log')).json.level, 'message');
  assert.equal(linesOf('moved.log').at(-1)[0], 'sessionDestroyed');
});

/** Sends the first half of a file; `rest` sends the other and resolves to the answer. */
async function beginUpload(file) {
  const { url } = (await stage.rest.post('/recto/api/v1/upload-tokens', { session: 'room' })).expect(200).json;
  const bytes = readFileSync(file);
  const socket = connect({ port: stage.server.port, host: '127.0.0.1', rejectUnauthorized: false });
  await once(socket, 'secureConnect');
  socket.write(`POST ${url.slice(url.indexOf('/recto'))} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: ${bytes.length}\r\n\r\n`);
  socket.write(bytes.subarray(0, bytes.length / 2));
  await within(10, 'the upload comes in', () => readdirSync(path.join(stage.server.recordings, '.uploads')).some((name) => name.endsWith('.part')));
  return {
    rest: () => {
      socket.write(bytes.subarray(bytes.length / 2));
      return text(socket);
    },
  };
}

stage.test('a drained server takes no recordings, and ends when the last one and what is uploaded are complete', async () => {
  const [session, other] = [await stage.session(), await stage.session()];
  for (const id of [session, other])
    await Rpc.join(stage.server, await stage.token(id));
  const { id } = await stage.startRecording(session, small);
  const upload = await beginUpload(film);
  stage.server.child.kill('SIGUSR1');
  await within(10, 'it is not ready any more', async () => (await stage.rest.get('/recto/api/v1/ready', { auth: null })).status === 503);
  assert.deepEqual((await get('/recto/api/v1/drain')).json, { draining: true, recordings: 1 });
  const refused = (await stage.rest.post('/openvidu/api/recordings/start', { session: other, ...small })).expect(503);
  assert.match(refused.text, /drained/);
  (await stage.rest.get('/recto/api/v1/live', { auth: null })).expect(200);
  const stopped = await stage.stopRecording(id);
  assert.equal(stopped.status, 'ready');
  await within(10, 'it waits for the upload', () => told(/^no recording is left; waiting for the files that are being uploaded/));
  (await stage.rest.get('/recto/api/v1/live', { auth: null })).expect(200);
  assert.match(await upload.rest(), /^HTTP\/1.1 200/);
  assert.deepEqual(await stage.server.exited, { code: 0, signal: null });
  const file = path.join(stage.server.recordings, id, `${id}.mp4`);
  assert.equal(await media.decodeComplaints(file), '');
  assert.ok(told(/^drained: no recording is left/));
  assert.deepEqual(linesOf('CDR.log').at(-1)[0], 'sessionDestroyed');
  assert.equal(linesOf('CDR.log').at(-1)[1].reason, 'openviduServerStopped');
});
