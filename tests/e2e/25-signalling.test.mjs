// Signals, moderators, mute, and what a lost network does: the libraries' own calls and events.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { Stage } from './lib/suite.mjs';
import { within } from './lib/wait.mjs';

const stage = new Stage({ name: 'signalling', settings: { 'log.level': 'info' } });

/** Lets bytes through to the server until it is cut. */
class Wire {
  static async lay(port, t) {
    const wire = new Wire();
    t.after(() => wire.close());
    wire.sockets = new Set();
    wire.isCut = false;
    wire.server = createServer((near) => {
      if (wire.isCut)
        return near.destroy();
      const far = connect(port, '127.0.0.1');
      for (const [from, to] of [[near, far], [far, near]]) {
        wire.sockets.add(from);
        from.on('error', () => {}).on('close', () => { wire.sockets.delete(from); to.destroy(); }).pipe(to);
      }
    }).listen(0, '127.0.0.1');
    await once(wire.server, 'listening');
    wire.port = wire.server.address().port;
    return wire;
  }

  cut() {
    this.isCut = true;
    this.sockets.forEach((socket) => socket.destroy());
  }

  mend() {
    this.isCut = false;
  }

  close() {
    this.cut();
    this.server.close();
  }
}

/** A participant whose library objects the test reaches: window.session, window.publisher, window.heard. */
async function enter(session, { wire, role, version = '2.32.2', publish = true, settings = {}, ...camera } = {}) {
  const participant = await stage.browser.open({ version, ...camera });
  const token = await stage.token(session, { version, role });
  participant.connectionId = await participant.page.evaluate(async ([url, advanced]) => {
    const ov = new OpenVidu();
    ov.setAdvancedConfiguration(advanced);
    Object.assign(window, { ov, session: ov.initSession(), heard: [], streams: new Map() });
    const note = (type, pick) => window.session.on(type, (event) => heard.push({ type, ...pick?.(event) }));
    for (const type of ['reconnecting', 'reconnected'])
      note(type);
    note('sessionDisconnected', ({ reason }) => ({ reason }));
    note('signal', ({ type: name, data, from }) => ({ name, data, from: from?.connectionId ?? null }));
    note('connectionDestroyed', ({ connection, reason }) => ({ id: connection.connectionId, reason }));
    note('streamDestroyed', ({ stream, reason }) => ({ id: stream.streamId, reason }));
    note('streamPropertyChanged', ({ changedProperty, newValue, reason }) => ({ changedProperty, newValue, reason }));
    window.session.on('streamCreated', ({ stream }) => {
      heard.push({ type: 'streamCreated', audioActive: stream.audioActive });
      streams.set(stream.connection.connectionId, stream);
      window.session.subscribe(stream, undefined);
    });
    await window.session.connect(url);
    return window.session.connection.connectionId;
  }, [wire ? token.replace(`:${stage.server.port}`, `:${wire.port}`) : token, settings]);
  if (publish)
    await participant.page.evaluate(async () => {
      window.publisher = ov.initPublisher(undefined, { resolution: '320x240', frameRate: 15 });
      await session.publish(publisher);
    });
  return participant;
}

const heard = (participant, type) => participant.page.evaluate((wanted) => window.heard.filter((e) => e.type === wanted), type);

const hears = (participant, type, matches = () => true, seconds = 10) =>
  within(seconds, `${participant.label} hears ${type}`, async () => (await heard(participant, type)).find(matches));

/** The picture of the other arrives and goes on. */
async function watches(participant, other) {
  const frames = () => participant.page.evaluate(async (id) => {
    const stats = await streams.get(id)?.getRTCPeerConnection().getStats();
    return [...(stats?.values() ?? [])].find(({ type, kind }) => type === 'inbound-rtp' && kind === 'video')?.framesDecoded ?? 0;
  }, other.connectionId);
  const before = await frames().catch(() => 0);
  await within(15, `${participant.label} gets pictures of ${other.label}`, async () => (await frames()) > before + 5);
}

const sent = (participant, method) => participant.frames.filter((frame) => frame.startsWith('>') && frame.includes(`"${method}"`)).length;

stage.test('a cut WebSocket is mended without anybody noticing', async (t) => {
  const session = await stage.session();
  const wire = await Wire.lay(stage.server.port, t);
  const anna = await enter(session, { name: 'anna', wire });
  const ben = await enter(session, { name: 'ben' });
  await watches(ben, anna);

  wire.cut();
  await hears(anna, 'reconnecting');
  // What is said before the server knows of the loss goes down with the old socket.
  await within(5, 'the server notices', () => stage.server.log().includes(`${anna.connectionId}: participant lost its connection`));
  await ben.page.evaluate(() => session.signal({ type: 'note', data: 'said meanwhile' }));
  wire.mend();
  await hears(anna, 'reconnected', undefined, 15);
  await hears(anna, 'signal', ({ data }) => data === 'said meanwhile');
  await watches(ben, anna);
  await watches(anna, ben);
  await anna.page.evaluate(() => session.signal({ type: 'note', data: 'back' }));
  await hears(ben, 'signal', ({ data }) => data === 'back');
  assert.deepEqual(await heard(ben, 'connectionDestroyed'), []);
  assert.deepEqual(await heard(ben, 'streamDestroyed'), []);
});

stage.test('streams are negotiated again after a loss', async (t) => {
  const session = await stage.session();
  const wire = await Wire.lay(stage.server.port, t);
  const anna = await enter(session, { name: 'anna', wire, settings: { forceMediaReconnectionAfterNetworkDrop: true } });
  const ben = await enter(session, { name: 'ben' });
  await watches(ben, anna);
  await watches(anna, ben);

  wire.cut();
  await hears(anna, 'reconnecting');
  wire.mend();
  await hears(anna, 'reconnected', undefined, 15);
  await within(10, 'both streams are offered again', () => sent(anna, 'reconnectStream') === 2);
  await watches(ben, anna);
  await watches(anna, ben);
  assert.deepEqual(await heard(ben, 'streamDestroyed'), []);
});

stage.test('who stays away too long is out', async (t) => {
  const session = await stage.session();
  const wire = await Wire.lay(stage.server.port, t);
  const anna = await enter(session, { name: 'anna', wire });
  const ben = await enter(session, { name: 'ben', publish: false });

  wire.cut();
  const gone = await hears(ben, 'connectionDestroyed', ({ id }) => id === anna.connectionId, 20);
  assert.equal(gone.reason, 'networkDisconnect');
  wire.mend();
  assert.equal((await hears(anna, 'sessionDisconnected', undefined, 15)).reason, 'networkDisconnect');
});

stage.test('signals cross the eras', async () => {
  const session = await stage.session();
  const old = await enter(session, { name: 'old', version: '2.0.0', publish: false });
  const young = await enter(session, { name: 'young', publish: false });

  await old.page.evaluate(() => session.signal({ type: 'chat', data: 'from old' }));
  assert.deepEqual(await hears(young, 'signal', ({ data }) => data === 'from old'),
    { type: 'signal', name: 'signal:chat', data: 'from old', from: old.connectionId });
  await young.page.evaluate(() => session.signal({ type: 'chat', data: 'from young' }));
  assert.deepEqual(await hears(old, 'signal', ({ data }) => data === 'from young'),
    { type: 'signal', name: 'chat', data: 'from young', from: young.connectionId });

  (await stage.rest.post('/openvidu/api/signal', { session, type: 'bell', data: 'from the server' })).expect(200);
  assert.equal((await hears(young, 'signal', ({ data }) => data === 'from the server')).from, null);
  await hears(old, 'signal', ({ data }) => data === 'from the server');

  await assert.rejects(young.page.evaluate(() => session.signal({ to: [{ connectionId: 'con_Nobody' }], data: 'x' })));
});

stage.test('mute is told, and late comers know', async () => {
  const session = await stage.session();
  const anna = await enter(session, { name: 'anna' });
  const ben = await enter(session, { name: 'ben', publish: false });
  await hears(ben, 'streamCreated');
  await anna.page.evaluate(() => publisher.publishAudio(false));
  assert.deepEqual(await hears(ben, 'streamPropertyChanged', ({ changedProperty }) => changedProperty === 'audioActive'),
    { type: 'streamPropertyChanged', changedProperty: 'audioActive', newValue: false, reason: 'publishAudio' });
  const late = await enter(session, { name: 'late', publish: false });
  assert.equal((await hears(late, 'streamCreated')).audioActive, false);
  await anna.page.evaluate(() => publisher.publishAudio(true));
  await hears(late, 'streamPropertyChanged', ({ newValue }) => newValue === true);
});

stage.test('moderators end streams and connections of others', async () => {
  const session = await stage.session();
  const moderator = await enter(session, { name: 'moderator', role: 'MODERATOR', publish: false });
  const anna = await enter(session, { name: 'anna' });
  const witness = await enter(session, { name: 'witness', publish: false });
  await hears(moderator, 'streamCreated');
  await hears(witness, 'streamCreated');

  await assert.rejects(witness.page.evaluate((id) => session.forceUnpublish(streams.get(id)), anna.connectionId));
  await moderator.page.evaluate((id) => session.forceUnpublish(streams.get(id)), anna.connectionId);
  assert.equal((await hears(witness, 'streamDestroyed')).reason, 'forceUnpublishByUser');
  await anna.page.evaluate(() => session.publish(ov.initPublisher(undefined, { resolution: '320x240', frameRate: 15 })));
  await within(10, 'the stream is back', async () => (await heard(witness, 'streamCreated')).length === 2);

  await moderator.page.evaluate((id) => session.forceDisconnect(session.remoteConnections.get(id)), anna.connectionId);
  assert.equal((await hears(anna, 'sessionDisconnected')).reason, 'forceDisconnectByUser');
  assert.equal((await hears(witness, 'connectionDestroyed')).reason, 'forceDisconnectByUser');
});

stage.test('a replaced track is told, and the picture goes on', async () => {
  const session = await stage.session();
  const anna = await enter(session, { name: 'anna' });
  const ben = await enter(session, { name: 'ben', publish: false });
  await watches(ben, anna);
  await anna.page.evaluate(async () => {
    const stream = await navigator.mediaDevices.getUserMedia({ video: true });
    await publisher.replaceTrack(stream.getVideoTracks()[0]);
  });
  const { reason } = await hears(ben, 'streamPropertyChanged', ({ changedProperty }) => changedProperty === 'videoTrack');
  assert.equal(reason, 'trackReplaced');
  await watches(ben, anna);
});

stage.test('a signal reaches whom it is for, and nobody else', async () => {
  const session = await stage.session();
  const old = await enter(session, { name: 'old', version: '2.1.0', publish: false });
  const young = await enter(session, { name: 'young', publish: false });
  const other = await enter(session, { name: 'other', publish: false });
  const say = (from, to, data) => from.page.evaluate(([ids, text]) =>
    session.signal({ to: ids.map((connectionId) => ({ connectionId })), type: 'chat', data: text }), [to.map((p) => p.connectionId), data]);

  await say(old, [young], 'to young');
  await say(young, [old, young], 'to old and young');
  await say(young, [other], 'to other');
  await hears(old, 'signal', ({ data }) => data === 'to old and young');
  await hears(young, 'signal', ({ data }) => data === 'to old and young');
  await hears(other, 'signal', ({ data }) => data === 'to other');
  const texts = async (participant) => (await heard(participant, 'signal')).map(({ data }) => data);
  assert.deepEqual(await texts(old), ['to old and young']);
  assert.deepEqual(await texts(young), ['to young', 'to old and young']);
  assert.deepEqual(await texts(other), ['to other']);
});
