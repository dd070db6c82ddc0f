// What an operator relies on: webhook events that nothing loses, and the CDR file.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { Receiver } from './lib/receiver.mjs';
import { Rpc } from './lib/rpc.mjs';
import { Server } from './lib/server.mjs';
import { within } from './lib/wait.mjs';

const key = 'k3y';
let receiver, server;

before(async () => {
  receiver = await Receiver.start({ key });
  server = await Server.start({
    name: 'operations',
    environment: { no_proxy: '127.0.0.1' },
    settings: {
      'openvidu.webhook': true,
      'openvidu.webhook.endpoint': receiver.url,
      'openvidu.webhook.headers': 'Authorization: Basic abc, X-Mine: yes',
      'events.webhook-secret': key,
      'events.webhook-timeout-ms': 1000,
      'events.webhook-retry-min-ms': 50,
      'events.webhook-retry-max-ms': 200,
      'events.webhook-max-refusals': 3,
      'log.level': 'info',
      'log.format': 'json',
    },
  });
});
after(async () => {
  await server?.stop();
  await receiver?.close();
});

/** Somebody joins a new session and leaves, which makes four events. */
const four = ['sessionCreated', 'participantJoined', 'participantLeft', 'sessionDestroyed'];
async function visit() {
  const session = (await server.rest.post('/openvidu/api/sessions', {})).expect(200).json.id;
  const connection = (await server.rest.post(`/openvidu/api/sessions/${session}/connection`, { data: 'from the server' })).expect(200).json;
  const visitor = await Rpc.join(server, connection.token, { data: 'from the client' });
  await visitor.leave();
  return session;
}

const taken = (session) => receiver.taken.filter(({ body }) => body.sessionId === session).map(({ body }) => body.event);
const arrive = (session, seconds = 20) => within(seconds, `all events of ${session} arrived`, () => taken(session).length === 4);
const state = () => path.join(server.folder, 'state/webhook');
const spooled = (session) => readdirSync(state()).map((name) => readFileSync(path.join(state(), name), 'utf8')).join('')
  .split('\n').filter((line) => line.includes(session)).map((line) => JSON.parse(line.slice(line.indexOf('{'))).event);
const logs = () => server.log().split('\n').filter((line) => line.startsWith('{')).map((line) => JSON.parse(line));
const told = (pattern) => logs().some(({ message }) => pattern.test(message));

test('events are posted in order, signed, with the configured headers', async () => {
  const session = await visit();
  await arrive(session);
  assert.deepEqual(taken(session), four);
  const numbers = receiver.taken.map(({ headers }) => Number(headers['x-recto-delivery']));
  assert.deepEqual(numbers, numbers.map((_, i) => numbers[0] + i));
  for (const { headers, isSigned, body } of receiver.taken) {
    assert.ok(isSigned);
    assert.equal(headers['content-type'], 'application/json');
    assert.equal(headers.authorization, 'Basic abc');
    assert.equal(headers['x-mine'], 'yes');
    assert.match(body.uniqueSessionId, new RegExp(`^${session}_\\d+$`));
  }
  const [, joined, left] = receiver.taken.map(({ body }) => body);
  assert.deepEqual(
    Object.fromEntries(['location', 'platform', 'clientData', 'serverData'].map((name) => [name, joined[name]])),
    { location: 'unknown', platform: 'Node', clientData: 'from the client', serverData: 'from the server' },
  );
  assert.equal(left.reason, 'disconnect');
  const config = (await server.rest.get('/openvidu/api/config')).expect(200).json;
  assert.equal(config.OPENVIDU_WEBHOOK, true);
  assert.deepEqual(config.OPENVIDU_WEBHOOK_HEADERS, ['Authorization: ***', 'X-Mine: ***']);
});

test('a receiver that hangs delays no session, and gets everything once it answers', async () => {
  receiver.answer = () => 0;
  const sessions = [await visit(), await visit(), await visit()];
  await within(20, 'the first attempt ended', () => told(/cannot deliver event \d+ .*and are tried again/));
  receiver.answer = () => 200;
  for (const session of sessions) {
    await arrive(session);
    assert.deepEqual(taken(session), four);
  }
  await within(5, 'the log says so', () => told(/takes events again/));
});

test('an event that is refused again and again is given up, and the next ones come', async () => {
  let refused;
  receiver.answer = ({ body }) => {
    refused ??= body.sessionId;
    return body.sessionId === refused && body.event === 'participantJoined' ? 400 : 200;
  };
  const before = receiver.requests.length;
  const session = await visit();
  await within(20, 'the rest arrived', () => taken(session).length === 3);
  assert.deepEqual(taken(session), four.filter((name) => name !== 'participantJoined'));
  const attempts = receiver.requests.slice(before).filter(({ body }) => body.event === 'participantJoined');
  assert.ok(attempts.length >= 3, `${attempts.length} attempts`);
  receiver.answer = () => 200;
  await within(20, 'the log says what was given up', () => told(/^1 events for \S+ were given up, of the numbers (\d+) to \1/));
});

test('what waits survives a crash of the server, in order', async () => {
  await receiver.close();
  const sessions = [await visit(), await visit()];
  await within(20, 'the log says so', () => told(/cannot deliver .*connect/));
  await within(20, 'all wait on the disk', () => spooled(sessions[1]).includes('sessionDestroyed'));
  server.child.kill('SIGKILL');
  await server.exited;
  await server.launch();
  sessions.push(await visit());
  await receiver.open();
  for (const session of sessions)
    await arrive(session);
  assert.deepEqual(sessions.flatMap(taken), [...four, ...four, ...four]);
  const numbers = receiver.taken.map(({ headers }) => Number(headers['x-recto-delivery']));
  assert.deepEqual(numbers, [...numbers].sort((a, b) => a - b));
});
