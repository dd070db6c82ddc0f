// Unmodified openvidu-browser 2.0.0, 2.1.0 and 2.32.2, alone and mixed: who sees and hears whom, and who is told what.
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { Browser } from './lib/browser.mjs';
import { withDescendants } from './lib/server.mjs';
import { Stage } from './lib/suite.mjs';
import { within } from './lib/wait.mjs';

const stage = new Stage({ name: 'clients' });
const versions = ['2.0.0', '2.1.0', '2.32.2'];

const connections = async (session) =>
  (await stage.rest.get(`/openvidu/api/sessions/${session}`)).expect(200).json.connections.content;

const sessionEnds = (session) => within(10, `session ${session} is gone`, async () =>
  (await stage.rest.get(`/openvidu/api/sessions/${session}`)).status === 404);

for (const version of versions) {
  stage.test(`${version} connects, publishes, is seen and heard, unpublishes and leaves`, async () => {
    const session = await stage.session();
    const anna = await stage.enter(session, { version, name: 'anna', colour: 'red', tone: 500 });
    const ben = await stage.enter(session, { version, name: 'ben', colour: 'blue', tone: 900 });
    assert.equal((await connections(session)).length, 2);

    await anna.sees(ben, 'blue');
    await anna.hears(ben, 900);
    const seen = await ben.sees(anna, 'red');
    assert.deepEqual([seen.width, seen.height, seen.tracks], [320, 240, ['audio', 'video']]);
    await ben.hears(anna, 500);
    assert.equal(await ben.call('dataOf', anna.connectionId), 'anna');

    await anna.call('unpublish');
    await ben.waitForEvent('streamDestroyed', ({ connectionId }) => connectionId === anna.connectionId);
    await anna.publish();
    await ben.sees(anna, 'red');

    await anna.call('leave');
    await ben.waitForEvent('connectionDestroyed', ({ connectionId }) => connectionId === anna.connectionId);
    await within(5, 'ben was told of both ends', async () =>
      (await ben.events('streamDestroyed')).filter(({ connectionId }) => connectionId === anna.connectionId).length === 2);
    assert.deepEqual((await connections(session)).map(({ connectionId }) => connectionId), [ben.connectionId]);
    await ben.call('leave');
    await sessionEnds(session);
  });

  stage.test(`${version} sees and hears itself as the server has it`, async () => {
    const session = await stage.session();
    const viewer = await stage.enter(session, { version, name: 'viewer', publish: false });
    const speaker = await stage.enter(session, { version, name: 'speaker', colour: 'yellow', tone: 650, publish: { remote: true } });
    const seen = await speaker.sees(speaker, 'yellow');
    assert.deepEqual([seen.width, seen.height, seen.tracks], [320, 240, ['audio', 'video']]);
    await speaker.hears(speaker, 650);
    await viewer.sees(speaker, 'yellow');
    await viewer.hears(speaker, 650);
  });

  stage.test(`${version} shares a screen, or only sound, or only a picture`, async () => {
    const session = await stage.session();
    const viewer = await stage.enter(session, { version, name: 'viewer', publish: false });
    const kinds = [
      { publish: { screen: true }, typeOfVideo: 'SCREEN', tracks: ['audio', 'video'] },
      { publish: { video: false }, typeOfVideo: null, tracks: ['audio'] },
      { publish: { audio: false }, typeOfVideo: 'CAMERA', tracks: ['video'] },
    ];
    for (const { publish, typeOfVideo, tracks } of kinds) {
      const speaker = await stage.enter(session, { version, name: `speaker with ${tracks}`, colour: 'green', tone: 700, publish });
      const created = await viewer.waitForEvent('streamCreated', ({ connectionId }) => connectionId === speaker.connectionId);
      assert.equal(created.typeOfVideo || null, typeOfVideo);
      const seen = tracks.includes('video') ? await viewer.sees(speaker, 'green') : await viewer.hears(speaker, 700);
      if (tracks.includes('audio'))
        await viewer.hears(speaker, 700);
      assert.deepEqual(seen.tracks, tracks);
      await speaker.call('leave');
    }
  });
}

stage.test('2.0.0 and 2.32.2 see and hear each other in one session', async () => {
  const session = await stage.session();
  const early = await stage.enter(session, { version: '2.0.0', name: 'early', colour: 'yellow', tone: 600 });
  const late = await stage.enter(session, { version: '2.32.2', name: 'late', colour: 'magenta', tone: 1100 });
  await early.sees(late, 'magenta');
  await early.hears(late, 1100);
  await late.sees(early, 'yellow');
  await late.hears(early, 600);

  const screen = await stage.enter(session, { version: '2.32.2', name: 'screen', colour: 'cyan', publish: { screen: true, audio: false } });
  await early.sees(screen, 'cyan');
  assert.equal((await early.waitForEvent('streamCreated', ({ connectionId }) => connectionId === screen.connectionId)).typeOfVideo, 'SCREEN');

  await late.call('unpublish');
  await early.waitForEvent('streamDestroyed', ({ connectionId }) => connectionId === late.connectionId);
  await early.call('leave');
  await late.waitForEvent('connectionDestroyed', ({ connectionId }) => connectionId === early.connectionId);
});

stage.test('subscribing is a choice that can be taken back', async () => {
  const session = await stage.session();
  const speaker = await stage.enter(session, { name: 'speaker', colour: 'red', tone: 500 });
  const viewer = await stage.enter(session, { name: 'viewer', publish: false, subscribe: false });
  await viewer.waitForEvent('streamCreated');
  const subscriptions = async () =>
    (await connections(session)).find(({ connectionId }) => connectionId === viewer.connectionId).subscribers.map(({ streamId }) => streamId);
  assert.deepEqual(await subscriptions(), []);
  await viewer.call('subscribeTo', speaker.connectionId);
  await viewer.sees(speaker, 'red');
  assert.deepEqual(await subscriptions(), [speaker.streamId]);
  await viewer.call('unsubscribe', speaker.connectionId);
  await within(5, 'the subscription ends', async () => (await subscriptions()).length === 0);
  await viewer.call('subscribeTo', speaker.connectionId);
  await viewer.sees(speaker, 'red');
});

stage.test('a viewer who comes and goes does not disturb the others', async () => {
  const session = await stage.session();
  const speaker = await stage.enter(session, { name: 'speaker', colour: 'green', tone: 800 });
  const viewer = await stage.enter(session, { name: 'viewer', publish: false });
  await viewer.sees(speaker, 'green');
  for (let i = 0; i < 3; i++) {
    const guest = await stage.enter(session, { name: `guest ${i}`, publish: false });
    await guest.sees(speaker, 'green');
    const before = await viewer.call('observe', speaker.connectionId);
    await guest.call('leave');
    await within(5, 'the picture goes on', async () => (await viewer.call('observe', speaker.connectionId)).time > before.time + 0.5);
    await viewer.hears(speaker, 800);
  }
});

stage.test('a token opens the door once', async () => {
  const session = await stage.session();
  const token = await stage.token(session);
  const first = await stage.browser.open({ name: 'first' });
  await first.join(token);
  const second = await stage.browser.open({ name: 'second' });
  await assert.rejects(second.join(token), /401|token|unauthor/i);
  const forged = token.replace(/token=[^&]+/, 'token=tok_forged0000000');
  await assert.rejects(second.join(forged), /401|token|unauthor/i);
  const third = await stage.browser.open({ version: '2.0.0', name: 'third' });
  await assert.rejects(third.join(token), /401|token|unauthor/i);
});

stage.test('an insecure client joins with the secret', async () => {
  const insecure = (session, secret) => `wss://localhost:${stage.server.port}?sessionId=${session}&secret=${secret}`;
  const first = await stage.browser.open({ version: '2.0.0', name: 'insecure old', colour: 'blue' });
  await first.join(insecure('madeOnTheFly', 'MY_SECRET'));
  await first.publish();
  assert.equal((await stage.rest.get('/openvidu/api/sessions/madeOnTheFly')).expect(200).json.recordingMode, 'ALWAYS');

  const second = await stage.browser.open({ version: '2.32.2', name: 'insecure new', colour: 'red' });
  await second.join(insecure('madeOnTheFly', 'MY_SECRET'));
  await second.publish();
  await second.sees(first, 'blue');
  await first.sees(second, 'red');

  const stranger = await stage.browser.open({ version: '2.32.2', name: 'stranger' });
  await assert.rejects(stranger.join(insecure('madeOnTheFly', 'WRONG')));
  const nowhere = await stage.browser.open({ version: '2.32.2', name: 'nowhere' });
  await assert.rejects(nowhere.join(insecure('neverMade', 'MY_SECRET')));
});

stage.test('a subscriber may not publish', async () => {
  const session = await stage.session();
  for (const version of ['2.0.0', '2.32.2']) {
    const viewer = await stage.enter(session, { version, role: 'SUBSCRIBER', name: 'viewer', publish: false });
    await assert.rejects(viewer.publish());
  }
});

const openDescriptors = () => readdirSync(`/proc/${stage.server.pid}/fd`).length;

stage.test('who vanishes without a word is removed within 20 s', async (t) => {
  const session = await stage.session();
  const witness = await stage.enter(session, { name: 'witness', publish: false });
  const before = openDescriptors();
  const crashing = await stage.enter(session, { name: 'crashing tab', colour: 'red' });
  const closing = await stage.enter(session, { version: '2.0.0', name: 'closed tab', colour: 'green' });

  const unplugged = await Browser.launch();
  const frozen = withDescendants(unplugged.pid);
  try {
    const silent = await unplugged.open({ name: 'network gone', colour: 'blue' });
    await silent.join(await stage.token(session));
    await silent.publish();
    for (const speaker of [crashing, closing, silent])
      await witness.waitForEvent('streamCreated', ({ connectionId }) => connectionId === speaker.connectionId);

    frozen.splice(0, frozen.length, ...withDescendants(unplugged.pid));
    const since = Date.now();
    frozen.forEach((pid) => process.kill(pid, 'SIGSTOP'));
    crashing.page.goto('chrome://crash').catch(() => {});
    await closing.page.close();
    await Promise.all([crashing, closing, silent].map(async (speaker) => {
      await witness.waitForEvent('connectionDestroyed', ({ connectionId }) => connectionId === speaker.connectionId, 20);
      t.diagnostic(`${speaker.name}: removed after ${((Date.now() - since) / 1000).toFixed(1)} s`);
    }));
    assert.deepEqual((await connections(session)).map(({ connectionId }) => connectionId), [witness.connectionId]);
    await within(10, 'their descriptors are closed', () => openDescriptors() <= before);
  } finally {
    frozen.forEach((pid) => process.kill(pid, 'SIGCONT'));
    await unplugged.close();
  }
});

// What the library never sends: a bare WebSocket from a page.
async function talk(page, messages) {
  return page.evaluate(async ([url, texts]) => {
    const socket = new WebSocket(url);
    const answers = [];
    let close;
    socket.onmessage = ({ data }) => answers.push(JSON.parse(data));
    socket.onclose = ({ code }) => (close = code);
    await new Promise((resolve, reject) => Object.assign(socket, { onopen: resolve, onerror: () => reject(new Error('no WebSocket')) }));
    for (const text of texts)
      socket.send(text.filler ? JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping', params: { filler: 'x'.repeat(text.filler) } }) : text);
    const expected = texts.filter((text) => text.filler || /"id"|^[^{]/.test(text)).length;
    for (const end = Date.now() + 5000; answers.length < expected && close === undefined && Date.now() < end;)
      await new Promise((resolve) => setTimeout(resolve, 20));
    socket.close();
    return { answers, close };
  }, [`wss://localhost:${stage.server.port}/openvidu`, messages]);
}

const call = (id, method, params) => JSON.stringify({ jsonrpc: '2.0', id, method, params });

stage.test('answers wrong messages with errors, and goes on', async () => {
  const session = await stage.session();
  const { page } = await stage.browser.open();
  const { answers } = await talk(page, [
    call(0, 'ping', { interval: 5000 }),
    call(1, 'publishVideo', { sdpOffer: 'v=0', hasAudio: true }),
    call(2, 'receiveVideoFrom', { sender: 'x', sdpOffer: 'v=0' }),
    call(3, 'danceAlone', {}),
    call(4, 'joinRoom', { token: 7, session: [] }),
    call(5, 'joinRoom', { token: 'wss://nowhere?sessionId=x&token=y', session: 'x', metadata: '', secret: '', recorder: false, platform: '' }),
    call(6, 'leaveRoom', {}),
    call(8, 'joinRoom', { token: `wss://nowhere?sessionId=${session}&token=y`, session, metadata: '', secret: '', recorder: false, platform: '' }),
    call(7, 'ping'),
  ]);
  const of = (id) => answers.find((answer) => answer.id === id);
  assert.equal(of(0).result.value, 'pong');
  for (const id of [1, 2, 3, 4, 5, 6, 8]) {
    assert.equal(of(id).jsonrpc, '2.0');
    assert.ok(Number.isInteger(of(id).error.code) && of(id).error.message.length > 0, JSON.stringify(of(id)));
    assert.ok(!('result' in of(id)));
  }
  assert.equal(of(5).error.code, 202);
  assert.equal(of(8).error.code, 401);
  assert.equal(of(7).result.value, 'pong');
});

stage.test('survives what is not a message at all', async () => {
  const { page } = await stage.browser.open();
  for (const text of ['hello', '[', '[]', '7', 'null', '{"jsonrpc":"2.0"}', '{"id":{},"method":[]}', `${'['.repeat(2000)}`])
    await talk(page, [text]);
  const { close, answers } = await talk(page, [{ filler: 1 << 20 }]);
  assert.ok(close === 1009 || answers[0]?.error, `an oversized message was taken: ${JSON.stringify({ close, answers })}`);
  assert.equal((await talk(page, [call(0, 'ping', { interval: 5000 })])).answers[0].result.value, 'pong');
});
