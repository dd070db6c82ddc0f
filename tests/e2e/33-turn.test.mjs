// A browser that reaches nobody but a TURN server: Debian's coturn, with a secret that it shares with the application.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { after, before } from 'node:test';
import * as media from './lib/media.mjs';
import { freePort, temporaryFolder } from './lib/server.mjs';
import { Stage } from './lib/suite.mjs';
import { record, within } from './lib/wait.mjs';

const program = '/usr/bin/turnserver';
const staticAuthSecret = 'north';
const stage = new Stage({ name: 'turn' });
let turn, port;
let said = '';

process.on('exit', () => turn?.kill('SIGKILL'));
before(async () => {
  assert.ok(existsSync(program), 'coturn is not installed: make deps');
  const folder = temporaryFolder('coturn');
  port = await freePort();
  turn = spawn(program, ['-n', '--listening-ip=127.0.0.1', `--listening-port=${port}`, '--relay-ip=127.0.0.1', '--allow-loopback-peers',
    '--use-auth-secret', `--static-auth-secret=${staticAuthSecret}`, '--realm=recto', '--no-tls', '--no-dtls', '--no-cli', '--verbose',
    '--log-file=stdout', `--pidfile=${path.join(folder, 'pid')}`, `--userdb=${path.join(folder, 'users')}`], { cwd: folder });
  turn.stdout.on('data', (text) => (said += text));
  turn.stderr.on('data', (text) => (said += text));
  await within(15, 'coturn listens', () => /IPv4\. UDP listener opened/.test(said) || turn.exitCode !== null);
  assert.equal(turn.exitCode, null, said);
});
after(async () => {
  if (turn?.exitCode !== null)
    return;
  turn.kill('SIGKILL');
  await once(turn, 'exit');
});

/** From now on this window's peer connections go through relays alone. */
const relayOnly = (participant) => participant.page.evaluate(() => {
  const Plain = RTCPeerConnection;
  window.made = [];
  window.RTCPeerConnection = class extends Plain {
    constructor(configuration) {
      super({ ...configuration, iceTransportPolicy: 'relay' });
      window.made.push(this);
    }
  };
});

/** Both ends of what each connection of this window uses: [[own, other]], as types of candidates. */
const paths = (participant) => participant.page.evaluate(() => Promise.all(window.made.map(async (connection) => {
  const stats = [...(await connection.getStats()).values()];
  const { selectedCandidatePairId: chosen } = stats.find(({ type }) => type === 'transport');
  const pair = stats.find(({ id }) => id === chosen);
  return [pair?.localCandidateId, pair?.remoteCandidateId].map((wanted) => stats.find(({ id }) => id === wanted)?.candidateType);
})));

async function enterByRelay(session, { name, ...camera }, customIceServers) {
  const participant = await stage.browser.open({ name, ...camera });
  await relayOnly(participant);
  const { token } = (await stage.rest.post(`/openvidu/api/sessions/${session}/connection`, { customIceServers })).expect(200).json;
  return participant.join(token);
}

stage.test('publishes and watches through coturn, and is recorded', async () => {
  const session = await stage.session();
  const servers = [{ url: `turn:127.0.0.1:${port}?transport=udp`, staticAuthSecret }];
  const ben = await stage.enter(session, { name: 'ben', colour: 'green', tone: 700 });
  const anna = await enterByRelay(session, { name: 'anna', colour: 'red', tone: 500 }, servers);
  await anna.publish();
  try {
    await ben.sees(anna, 'red', 20);
    await anna.sees(ben, 'green', 20);
  } catch (error) {
    console.log(`--- coturn\n${said}`);
    throw error;
  }
  assert.deepEqual((await paths(anna)).map(([own]) => own), ['relay', 'relay']);
  assert.ok(!anna.frames.some((frame) => frame.includes(staticAuthSecret)), 'the secret was told to a browser');

  const started = await stage.startRecording(session, { resolution: '640x360', frameRate: 15, name: 'relayed' });
  await record(3);
  const stopped = await stage.stopRecording(started.id);
  const file = path.join(stage.server.recordings, stopped.id, 'relayed.mp4');
  const at = stopped.duration - 0.7;
  assert.equal(media.misplaced(await media.frameAt(file, at), ['green', 'red']), null);
  assert.deepEqual(media.heard(await media.sound(file), [500, 700], at - 0.4, at + 0.4), [500, 700]);
});

stage.test('gets nowhere with another secret', async () => {
  const session = await stage.session();
  const servers = [{ url: `turn:127.0.0.1:${port}?transport=udp`, staticAuthSecret: 'south' }];
  const anna = await enterByRelay(session, { name: 'anna', colour: 'red' }, servers);
  const before = said.length;
  anna.publish().catch(() => {});
  await within(15, 'coturn refuses her', () => /Cannot find credentials|incorrect|401|[Uu]nauthori[sz]ed/.test(said.slice(before)));
  assert.deepEqual((await paths(anna)).flat().filter(Boolean), []);
});
