// Sessions and recordings from their first participant to their last, by the rules of each era, and over a restart.
import assert from 'node:assert/strict';
import { clients } from './lib/browser.mjs';
import { Server } from './lib/server.mjs';
import { Stage } from './lib/suite.mjs';
import { record, within } from './lib/wait.mjs';

const stage = new Stage({ name: 'lifecycle', settings: { 'openvidu.recording.autostop-timeout': 2 } });
const small = { defaultRecordingProperties: { resolution: '320x240', frameRate: 15 } };
const baseOf = (version) => (clients[version] === 'old' ? '/api' : '/openvidu/api');

const makeSession = async (version, body) =>
  (await stage.rest.post(`${baseOf(version)}/sessions`, { ...small, ...body })).expect(200).json.id;

const sessionEnds = (session) => within(15, `session ${session} is gone`, async () =>
  (await stage.rest.get(`/openvidu/api/sessions/${session}`)).status === 404);

const recordingEnds = (id, status = 'ready') => within(20, `recording ${id} is ${status}`, async () => {
  const recording = (await stage.rest.get(`/recto/api/v1/recordings/${id}`)).expect(200).json;
  return recording.status === status && recording;
});

for (const version of Object.keys(clients)) {
  const isOld = clients[version] === 'old';
  stage.test(`${version}: what always records begins with the first publisher and ends when all have left`, async () => {
    const session = await makeSession(version, { recordingMode: 'ALWAYS' });
    const viewer = await stage.enter(session, { version, name: 'viewer', publish: false });
    assert.equal((await stage.rest.get(`/openvidu/api/sessions/${session}`)).json.recording, false);
    const speaker = await stage.enter(session, { version, name: 'speaker' });
    const { id } = await speaker.waitForEvent('recordingStarted', undefined, 20);
    assert.equal(id, session);
    await viewer.waitForEvent('recordingStarted');

    const late = await stage.enter(session, { name: 'late', publish: false });
    await late.waitForEvent('recordingStarted', (event) => event.id === id);
    const subscriber = await stage.enter(session, { name: 'subscriber', role: 'SUBSCRIBER', publish: false });
    await viewer.sees(speaker, 'red');
    await record(1);

    for (const participant of [viewer, late, subscriber, speaker])
      await participant.call('leave');
    const { reason, duration, size } = await recordingEnds(id);
    assert.equal(reason, isOld ? 'lastParticipantLeft' : 'automaticStop');
    assert.ok(size > 0 && duration > (isOld ? 1 : 2.5), `${size} bytes, ${duration} s`);
    assert.deepEqual(await subscriber.events('recordingStarted'), []);
    await sessionEnds(session);
  });
}

stage.test('2.1.0: a recording that was asked for goes on in an empty session', async () => {
  const session = await makeSession('2.1.0');
  const speaker = await stage.enter(session, { version: '2.1.0', name: 'speaker' });
  const { id } = (await stage.rest.post('/api/recordings/start', { session })).expect(200).json;
  await speaker.waitForEvent('recordingStarted');
  await speaker.call('leave');
  // Longer than the later era would have waited.
  await record(3);
  assert.equal((await stage.rest.get(`/api/recordings/${id}`)).json.status, 'started');
  assert.equal((await stage.rest.get(`/openvidu/api/sessions/${session}`)).json.recording, true);

  const back = await stage.enter(session, { version: '2.1.0', name: 'back' });
  assert.ok((await stage.rest.post(`/api/recordings/stop/${id}`)).expect(200).json.duration > 3);
  assert.equal((await back.waitForEvent('recordingStopped')).id, id);
  await back.call('leave');
  await sessionEnds(session);
});

stage.test('2.32.2: a recording that was asked for ends when nobody publishes in time', async () => {
  const session = await makeSession('2.32.2');
  const viewer = await stage.enter(session, { name: 'viewer', publish: false });
  const { id } = (await stage.rest.post('/openvidu/api/recordings/start', { session })).expect(200).json;
  const stopped = await viewer.waitForEvent('recordingStopped', undefined, 20);
  assert.deepEqual([stopped.id, stopped.reason], [id, 'automaticStop']);
  assert.equal((await stage.rest.get(`/openvidu/api/sessions/${session}`)).json.recording, false);
});

stage.test('who closes a session ends its recording first', async () => {
  const session = await makeSession('2.32.2');
  const speaker = await stage.enter(session, { name: 'speaker' });
  const { id } = (await stage.rest.post('/openvidu/api/recordings/start', { session })).expect(200).json;
  await speaker.waitForEvent('recordingStarted');
  (await stage.rest.delete(`/openvidu/api/sessions/${session}`)).expect(204);
  assert.equal((await speaker.waitForEvent('sessionDisconnected')).reason, 'sessionClosedByServer');
  assert.equal((await recordingEnds(id)).reason, 'sessionClosedByServer');
});

stage.test('a changed role is told and holds', async () => {
  const session = await stage.session();
  const guest = await stage.enter(session, { name: 'guest', publish: false });
  const path = `/openvidu/api/sessions/${session}/connection/${guest.connectionId}`;
  assert.equal((await stage.rest.request('PATCH', path, { role: 'SUBSCRIBER' })).expect(200).json.role, 'SUBSCRIBER');
  await guest.waitForEvent('connectionPropertyChanged', ({ property, value }) => property === 'role' && value === 'SUBSCRIBER');
  assert.equal(await guest.page.evaluate(() => recto.session.connection.role), 'SUBSCRIBER');
  await assert.rejects(guest.publish());
  (await stage.rest.request('PATCH', path, { role: 'MODERATOR' })).expect(200);
  await guest.waitForEvent('connectionPropertyChanged', ({ value }) => value === 'MODERATOR');
  await guest.publish();
});

stage.test('filters are refused with OpenVidu\'s code', async () => {
  const speaker = await stage.enter(await stage.session(), { name: 'speaker', role: 'MODERATOR' });
  const code = await speaker.page.evaluate(() =>
    recto.publisher.stream.applyFilter('GStreamerFilter', { command: 'videobalance' }).then(() => 'applied', (error) => error.code));
  assert.equal(code, 406);
});

stage.test('clients are told when the server stops, and when it is not the same any more', async () => {
  const server = await Server.start({ name: 'restart' });
  try {
    const enter = async (session, version) => {
      const participant = await stage.browser.open({ version, name: version });
      const answer = await server.rest.post('/api/tokens', { session });
      await participant.join(answer.expect(200).json.id);
      return participant;
    };
    const meet = async () => {
      const session = (await server.rest.post('/openvidu/api/sessions', small)).expect(200).json.id;
      return { session, old: await enter(session, '2.0.0'), young: await enter(session, '2.32.2') };
    };

    const first = await meet();
    (await server.rest.post('/openvidu/api/recordings/start', { session: first.session, name: 'kept' })).expect(200);
    assert.deepEqual(await server.stop(), { code: 0, signal: null });
    assert.equal((await first.young.waitForEvent('sessionDisconnected')).reason, 'openviduServerStopped');
    await first.old.waitForEvent('sessionDisconnected');

    await server.launch();
    assert.deepEqual((await server.rest.get('/openvidu/api/sessions')).expect(200).json, { numberOfElements: 0, content: [] });
    const kept = (await server.rest.get(`/openvidu/api/recordings/${first.session}`)).expect(200).json;
    assert.deepEqual([kept.name, kept.status], ['kept', 'ready']);

    const second = await meet();
    await server.stop('SIGKILL');
    await second.old.waitForEvent('sessionDisconnected');
    await server.launch();
    assert.equal((await second.young.waitForEvent('sessionDisconnected', undefined, 20)).reason, 'networkDisconnect');
  } finally {
    await server.stop();
  }
});
