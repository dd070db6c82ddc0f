// The REST API of both eras: raw, and through openvidu-node-client of both eras.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import path from 'node:path';
import * as newNode from 'openvidu-node-client-2.32.2';
import * as oldNode from 'openvidu-node-client-2.4.0';
import { Server } from './lib/server.mjs';
import { Stage } from './lib/suite.mjs';

process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0'; // the node clients have no other way to accept our own certificate

const stage = new Stage({ name: 'rest' });
const old = '/api';
const now = '/openvidu/api';

const isErrorBody = (answer, base) => {
  const { timestamp, status, error, message, path: where } = answer.json;
  assert.equal(typeof timestamp, 'number');
  assert.equal(status, answer.status);
  assert.equal(typeof error, 'string');
  assert.ok(message.length > 0);
  assert.ok(where.startsWith(base), where);
};

const keys = (object) => Object.keys(object).sort();
const has = (object, wanted) => assert.deepEqual(wanted.filter((key) => !(key in object)), [], `missing in ${JSON.stringify(object)}`);

stage.test('asks for the secret with a challenge', async () => {
  const refused = [
    await stage.rest.get(`${now}/sessions`, { auth: null }),
    await stage.rest.get(`${old}/recordings`, { auth: null }),
    await stage.rest.post(`${old}/sessions`, { customSessionId: 'x' }, { auth: null }),
    await stage.rest.post(`${old}/recordings/stop/x`, '', { auth: null }),
    await stage.rest.get('/recto/api/v1/plugins', { auth: null }),
    await stage.rest.get('/', { auth: null }),
    await stage.rest.get(`${now}/sessions`, { auth: 'MY_SECRE' }),
    await stage.rest.get(`${now}/sessions`, { auth: null, headers: { authorization: `Basic ${btoa('ADMIN:MY_SECRET')}` } }),
    await stage.rest.get(`${now}/sessions`, { auth: null, headers: { authorization: 'Bearer MY_SECRET' } }),
    await stage.rest.get(`${now}/sessions`, { auth: null, headers: { authorization: 'Basic %%%' } }),
  ];
  for (const answer of refused) {
    assert.equal(answer.status, 401);
    assert.match(answer.headers['www-authenticate'], /^Basic realm="[^"]+"/);
  }
});

stage.test('serves what is public without the secret', async () => {
  for (const page of ['/accept-certificate', '/openvidu/accept-certificate'])
    assert.match((await stage.rest.get(page, { auth: null })).expect(200).headers['content-type'], /^text\/html/);
  const url = (await stage.rest.get(`${now}/config/openvidu-publicurl`, { auth: null })).expect(200).text;
  assert.match(url, new RegExp(`^https://[^/]+:${stage.server.port}/$`));
  assert.equal((await stage.rest.get('/config/openvidu-publicurl')).expect(200).text, url);
});

stage.test('tells its configuration', async () => {
  for (const base of ['/config', `${now}/config`]) {
    assert.equal((await stage.rest.get(`${base}/openvidu-recording`)).expect(200).text, 'true');
    assert.match((await stage.rest.get(`${base}/openvidu-recording-path`)).expect(200).text, /\/recordings\/$/);
  }
  const config = (await stage.rest.get(`${now}/config`)).expect(200).json;
  has(config, ['VERSION', 'OPENVIDU_PUBLICURL', 'OPENVIDU_CDR', 'OPENVIDU_RECORDING', 'OPENVIDU_RECORDING_PATH',
    'OPENVIDU_RECORDING_PUBLIC_ACCESS', 'OPENVIDU_RECORDING_NOTIFICATION', 'OPENVIDU_WEBHOOK']);
  assert.ok(!JSON.stringify(config).includes('MY_SECRET'));
});

stage.test('shows people a status page', async () => {
  const session = await stage.session();
  const visitor = await stage.enter(session, { publish: false });
  const { id } = (await stage.rest.post('/api/recordings/start', { session, name: 'shown <here>' })).expect(200).json;
  const page = (await stage.rest.get('/')).expect(200);
  assert.match(page.headers['content-type'], /^text\/html/);
  assert.ok(page.text.includes(`<td>${session}</td><td>1</td><td>0</td><td>${id}</td>`), page.text);
  assert.match(page.text, new RegExp(`<td>${id}</td><td>shown &lt;here&gt;</td><td>started</td>`));
  assert.match(page.text, /<td>best_fit<\/td><td>layout<\/td>[\s\S]*<td>mp4<\/td><td>sink<\/td>/);
  assert.ok(!page.text.includes('MY_SECRET'));
  (await stage.rest.post(`/api/recordings/stop/${id}`)).expect(200);
  await visitor.call('leave');
});

stage.test('lets pages of other origins ask', async () => {
  const preflight = await stage.rest.request('OPTIONS', `${now}/sessions`, undefined, {
    auth: null,
    headers: {
      origin: 'https://app.example', 'access-control-request-method': 'POST',
      'access-control-request-headers': 'authorization,content-type',
    },
  });
  assert.ok([200, 204].includes(preflight.status), `status ${preflight.status}`);
  assert.ok(['*', 'https://app.example'].includes(preflight.headers['access-control-allow-origin']));
  assert.match(preflight.headers['access-control-allow-methods'], /POST/);
  assert.match(preflight.headers['access-control-allow-headers'].toLowerCase(), /authorization|\*/);
  const answer = await stage.rest.get(`${now}/sessions`, { headers: { origin: 'https://app.example' } });
  assert.ok(['*', 'https://app.example'].includes(answer.headers['access-control-allow-origin']));
});

stage.test('answers unknown paths and methods as errors', async () => {
  assert.equal((await stage.rest.get(`${now}/nothing`)).status, 404);
  assert.ok([404, 405].includes((await stage.rest.request('PUT', `${now}/sessions`, {})).status));
  isErrorBody((await stage.rest.post(`${now}/sessions`, '{"mediaMode":')).expect(400), now);
  isErrorBody((await stage.rest.post(`${now}/sessions`, '[1]')).expect(400), now);
  assert.equal((await stage.rest.post(`${now}/sessions`, JSON.stringify({ filler: 'x'.repeat(2 << 20) }))).status, 413);
});

stage.test('creates, lists and deletes sessions of the later era', async () => {
  const session = (await stage.rest.post(`${now}/sessions`, { customSessionId: 'team-1', recordingMode: 'ALWAYS' })).expect(200).json;
  has(session, ['id', 'object', 'sessionId', 'createdAt', 'recording', 'broadcasting', 'mediaMode', 'recordingMode',
    'defaultRecordingProperties', 'customSessionId', 'forcedVideoCodec', 'allowTranscoding', 'connections']);
  assert.equal(session.id, 'team-1');
  assert.equal(session.object, 'session');
  assert.equal(session.recordingMode, 'ALWAYS');
  assert.equal(session.mediaMode, 'ROUTED');
  assert.equal(session.recording, false);
  assert.deepEqual(session.connections, { numberOfElements: 0, content: [] });
  assert.ok(Number.isInteger(session.createdAt) && Math.abs(session.createdAt - Date.now()) < 5000);
  has(session.defaultRecordingProperties, ['name', 'hasAudio', 'hasVideo', 'outputMode', 'recordingLayout', 'resolution', 'frameRate', 'shmSize']);
  assert.equal(session.defaultRecordingProperties.resolution, '1280x720');
  assert.equal(session.defaultRecordingProperties.frameRate, 25);
  assert.equal(session.defaultRecordingProperties.outputMode, 'COMPOSED');

  const again = await stage.rest.post(`${now}/sessions`, { customSessionId: 'team-1' });
  assert.deepEqual([again.status, again.text], [409, '']);
  assert.equal((await stage.rest.get(`${now}/sessions/team-1`)).expect(200).json.id, 'team-1');
  const list = (await stage.rest.get(`${now}/sessions`)).expect(200).json;
  assert.deepEqual(keys(list), ['content', 'numberOfElements']);
  assert.ok(list.content.some(({ id }) => id === 'team-1'));
  assert.deepEqual([(await stage.rest.delete(`${now}/sessions/team-1`)).status], [204]);
  assert.equal((await stage.rest.get(`${now}/sessions/team-1`)).status, 404);
  assert.equal((await stage.rest.delete(`${now}/sessions/team-1`)).status, 404);

  const unnamed = (await stage.rest.post(`${now}/sessions`, { customSessionId: null, mediaMode: null })).expect(200).json;
  assert.match(unnamed.id, /^ses_[A-Za-z0-9]{10}$/);
  assert.equal(unnamed.customSessionId, '');
  assert.equal((await stage.rest.post(`${now}/sessions`)).status, 200);
});

stage.test('refuses sessions with wrong properties', async () => {
  const wrong = [
    { mediaMode: 'DIRECT' }, { recordingMode: 'SOMETIMES' }, { customSessionId: 'a b' }, { customSessionId: 'a/b' },
    { customSessionId: 7 }, { mediaMode: 1 }, { forcedVideoCodec: 'MJPEG' },
    { defaultRecordingProperties: { resolution: '10x10' } }, { defaultRecordingProperties: { frameRate: 121 } },
    { defaultRecordingProperties: { hasAudio: false, hasVideo: false } },
  ];
  for (const body of wrong) {
    const answer = await stage.rest.post(`${now}/sessions`, body);
    assert.equal(answer.status, 400, JSON.stringify(body));
    isErrorBody(answer, now);
  }
  assert.equal((await stage.rest.post(`${old}/sessions`, { mediaMode: 'DIRECT' })).status, 400);
});

stage.test('creates sessions and tokens of the first era', async () => {
  assert.match((await stage.rest.post(`${old}/sessions`)).expect(200).json.id, /^[A-Za-z0-9_]{10,}$/);
  const { id } = (await stage.rest.post(`${old}/sessions`, { customSessionId: 'old-1' })).expect(200).json;
  assert.equal(id, 'old-1');
  const again = await stage.rest.post(`${old}/sessions`, { customSessionId: 'old-1' });
  assert.deepEqual([again.status, again.text], [409, '']);

  const token = (await stage.rest.post(`${old}/tokens`, { session: id, data: 'who' })).expect(200).json;
  has(token, ['id', 'token', 'session', 'role', 'data']);
  assert.match(token.id, new RegExp(`^wss://[^/?]+:${stage.server.port}\\?sessionId=old-1&token=[^&]+`));
  assert.equal(token.token, token.id);
  assert.deepEqual([token.session, token.role, token.data], ['old-1', 'PUBLISHER', 'who']);
  for (const body of [{ session: id, role: 'KING' }, { session: 'nowhere' }, { session: id, data: 'x'.repeat(10001) }, { role: 'PUBLISHER' }])
    assert.equal((await stage.rest.post(`${old}/tokens`, body)).status, 400, JSON.stringify(body).slice(0, 80));
  assert.equal((await stage.rest.post(`${now}/tokens`, { session: 'nowhere' })).status, 404);
});

stage.test('creates connections', async () => {
  const session = await stage.session();
  const pending = (await stage.rest.post(`${now}/sessions/${session}/connection`, { role: 'MODERATOR', data: 'who' })).expect(200).json;
  has(pending, ['id', 'connectionId', 'object', 'status', 'sessionId', 'createdAt', 'type', 'record', 'role', 'kurentoOptions',
    'customIceServers', 'rtspUri', 'adaptativeBitrate', 'onlyPlayWithSubscribers', 'networkCache', 'serverData', 'token',
    'activeAt', 'location', 'ip', 'platform', 'clientData', 'publishers', 'subscribers']);
  assert.deepEqual([pending.object, pending.status, pending.type, pending.role, pending.serverData, pending.sessionId],
    ['connection', 'pending', 'WEBRTC', 'MODERATOR', 'who', session]);
  assert.equal(pending.id, pending.connectionId);
  for (const key of ['activeAt', 'location', 'ip', 'platform', 'clientData', 'publishers', 'subscribers'])
    assert.equal(pending[key], null, key);
  assert.match(pending.token, new RegExp(`^wss://[^/?]+:${stage.server.port}\\?sessionId=${session}&token=[^&]+`));
  assert.equal((await stage.rest.post(`${now}/sessions/nowhere/connection`, {})).status, 404);
  assert.equal((await stage.rest.post(`${now}/sessions/${session}/connection`, { role: 'KING' })).status, 400);
});

stage.test('checks recordings before it starts them', async () => {
  const idle = await stage.session();
  const start = (base, body) => stage.rest.post(`${base}/recordings/start`, body);
  const status = async (base, body) => (await start(base, body)).status;
  assert.equal(await status(now), 400);
  assert.equal(await status(now, {}), 400);
  assert.equal(await status(now, { session: 7 }), 400);
  assert.equal(await status(now, { session: 'nowhere' }), 404);
  assert.equal(await status(now, { session: idle, resolution: '1x1' }), 406);
  assert.equal(await status(old, {}), 400);
  assert.equal(await status(old, { session: 'nowhere' }), 404);
  assert.equal(await status(old, { session: idle }), 404);

  const session = await stage.session();
  await stage.enter(session, { publish: false });
  const checks = [
    [422, { hasAudio: false, hasVideo: false }],
    [422, { resolution: '99x720' }], [422, { resolution: '1280x2000' }], [422, { resolution: 'wide' }],
    [422, { frameRate: 0 }], [422, { frameRate: 121 }], [422, { shmSize: 1000 }],
    [400, { name: 'a/b' }], [400, { name: '../b' }], [400, { name: 7 }],
    [400, { hasAudio: 'yes' }], [400, { frameRate: 'fast' }], [400, { outputMode: 'MOSAIC' }],
    [400, { sinks: ['tape'] }], [400, { sinks: 'mp4' }], [400, { options: { best_fit: { nothing: 1 } } }],
    [400, { outputMode: 'INDIVIDUAL', sinks: ['mp4'] }], [400, { sinks: ['local'] }],
    [404, { recordingLayout: 'CUSTOM', customLayout: 'nowhere' }], [400, { recordingLayout: 'CUSTOM', customLayout: '../custom' }],
  ];
  for (const [expected, body] of checks) {
    const answer = await start(now, { session, ...body });
    assert.equal(answer.status, expected, `${JSON.stringify(body)}: ${answer.text}`);
    isErrorBody(answer, now);
  }
  const unknown = (await start(now, { session, recordingLayout: 'SPIRAL' })).expect(400);
  assert.match(unknown.json.message, /SPIRAL/);
  assert.match(unknown.json.message, /best_fit|BEST_FIT/);
  assert.equal(await status(old, { session, recordingLayout: 'SPIRAL' }), 400);
  assert.deepEqual(stage.server.workers().filter((w) => w.arguments.includes('--recover')), []);
  assert.equal((await stage.rest.get(`${now}/sessions/${session}`)).json.recording, false);
});

stage.test('refuses to record a session that is not routed', async () => {
  const session = await stage.session({ mediaMode: 'RELAYED' });
  await stage.enter(session, { publish: false });
  for (const base of [old, now])
    assert.equal((await stage.rest.post(`${base}/recordings/start`, { session })).status, 409);
});

stage.test('starts one of 15 recordings asked for at once', async (t) => {
  const session = await stage.session();
  await stage.enter(session);
  const answers = await Promise.all(Array.from({ length: 15 }, () => stage.rest.post(`${now}/recordings/start`, { session, resolution: '320x240' })));
  assert.deepEqual(answers.map(({ status }) => status).sort(), [200, ...Array(14).fill(409)]);

  const started = answers.find(({ status }) => status === 200);
  t.diagnostic(`start answered after ${Math.round(started.ms)} ms`);
  const recording = started.json;
  has(recording, ['id', 'object', 'name', 'outputMode', 'resolution', 'frameRate', 'recordingLayout', 'sessionId', 'createdAt',
    'size', 'duration', 'url', 'hasAudio', 'hasVideo', 'status']);
  assert.deepEqual([recording.id, recording.name, recording.sessionId, recording.object], [session, session, session, 'recording']);
  assert.deepEqual([recording.status, recording.size, recording.duration, recording.url], ['started', 0, 0, null]);
  assert.deepEqual([recording.outputMode, recording.recordingLayout, recording.resolution, recording.frameRate],
    ['COMPOSED', 'BEST_FIT', '320x240', 25]);
  assert.match(started.text, /"duration": ?0\.0\b/, 'a Java client of the first era needs the point');
  assert.equal((await stage.rest.get(`${now}/sessions/${session}`)).json.recording, true);
  assert.equal((await stage.rest.delete(`${now}/recordings/${recording.id}`)).status, 409);

  const stopped = (await stage.rest.post(`${now}/recordings/stop/${recording.id}`, '', {
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
  })).expect(200);
  t.diagnostic(`stop answered after ${Math.round(stopped.ms)} ms`);
  assert.equal(stopped.json.status, 'ready');
  assert.ok(stopped.json.size > 0 && stopped.json.duration > 0);
  assert.equal(stopped.json.url, `${(await stage.rest.get('/config/openvidu-publicurl')).text}openvidu/recordings/${session}/${session}.mp4`);
  assert.equal((await stage.rest.post(`${now}/recordings/stop/${recording.id}`)).status, 404);
  assert.equal((await stage.rest.post(`${now}/recordings/stop/nothing`)).status, 404);

  const list = (await stage.rest.get(`${now}/recordings`)).expect(200).json;
  assert.deepEqual(keys(list), ['count', 'items']);
  assert.deepEqual(list.items.find(({ id }) => id === recording.id), stopped.json);
  assert.deepEqual((await stage.rest.get(`${now}/recordings/${recording.id}`)).expect(200).json, stopped.json);
  assert.equal((await stage.rest.get(`${now}/recordings/nothing`)).status, 404);
  assert.ok(existsSync(path.join(stage.server.recordings, session, `${session}.mp4`)));
  assert.equal((await stage.rest.delete(`${now}/recordings/${recording.id}`)).status, 204);
  assert.equal((await stage.rest.delete(`${now}/recordings/${recording.id}`)).status, 404);
  assert.ok(!existsSync(path.join(stage.server.recordings, session)));
});

stage.test('speaks the words of the first era to its callers', async () => {
  const session = (await stage.rest.post(`${old}/sessions`)).expect(200).json.id;
  await stage.enter(session, { version: '2.0.0' });
  const started = (await stage.rest.post(`${old}/recordings/start`, { session, name: 'first', recordingLayout: '', customLayout: '' })).expect(200);
  has(started.json, ['id', 'name', 'sessionId', 'recordingLayout', 'createdAt', 'size', 'duration', 'url', 'hasAudio', 'hasVideo', 'status']);
  assert.deepEqual([started.json.status, started.json.name, started.json.url], ['started', 'first', null]);
  assert.match(started.text, /"duration": ?0\.0\b/);
  assert.equal((await stage.rest.post(`${old}/recordings/start`, { session })).status, 409);

  const stopped = (await stage.rest.post(`${old}/recordings/stop/${started.json.id}`)).expect(200).json;
  assert.deepEqual([stopped.status, stopped.url], ['stopped', null], 'public access is off');
  assert.equal(stopped.recordingLayout, 'BEST_FIT');
  assert.ok(existsSync(path.join(stage.server.recordings, 'first.mp4')));
  assert.equal((await stage.rest.get(`${old}/recordings/${started.json.id}`)).expect(200).json.status, 'stopped');
  assert.equal((await stage.rest.get(`${now}/recordings/${started.json.id}`)).expect(200).json.status, 'ready');

  const second = (await stage.rest.post(`${old}/recordings/start`, { session })).expect(200).json;
  assert.notEqual(second.id, started.json.id);
  assert.ok(second.id.startsWith(session));
  (await stage.rest.post(`${old}/recordings/stop/${second.id}`)).expect(200);
  assert.equal((await stage.rest.delete(`${old}/recordings/${started.json.id}`)).status, 204);
  assert.ok(!existsSync(path.join(stage.server.recordings, 'first.mp4')));
});

stage.test('serves openvidu-node-client 2.32.2', async () => {
  const { OpenVidu } = newNode.default ?? newNode;
  const openvidu = new OpenVidu(stage.server.url, 'MY_SECRET');
  const session = await openvidu.createSession({ customSessionId: 'node-new' });
  const participant = await stage.browser.open({ name: 'guest' });
  const connection = await session.createConnection({ role: 'PUBLISHER', data: 'server side' });
  await participant.join(connection.token);
  await participant.publish();

  await session.fetch();
  assert.equal(session.activeConnections.length, 1);
  const [active] = session.activeConnections;
  assert.deepEqual([active.status, active.serverData, active.clientData], ['active', 'server side', 'guest']);
  assert.equal(active.publishers[0].streamId, participant.streamId);
  assert.equal(active.publishers[0].typeOfVideo, 'CAMERA');
  assert.equal(await session.fetch(), false, 'nothing changed meanwhile');

  const started = await openvidu.startRecording('node-new', { name: 'by-node', resolution: '320x240', frameRate: 15 });
  assert.deepEqual([started.status, started.properties.name, started.properties.resolution], ['started', 'by-node', '320x240']);
  assert.equal((await openvidu.createSession({ customSessionId: 'node-new' })).sessionId, 'node-new');
  const stopped = await openvidu.stopRecording(started.id);
  assert.equal(stopped.status, 'ready');
  assert.ok((await openvidu.listRecordings()).some(({ id }) => id === started.id));
  assert.equal((await openvidu.getRecording(started.id)).size, stopped.size);
  await openvidu.deleteRecording(started.id);
  await assert.rejects(openvidu.getRecording(started.id), /404/);
  await session.close();
  await participant.waitForEvent('sessionDisconnected', ({ reason }) => reason === 'sessionClosedByServer');
});

stage.test('serves openvidu-node-client 2.4.0', async () => {
  const { OpenVidu } = oldNode.default ?? oldNode;
  const openvidu = new OpenVidu(stage.server.url, 'MY_SECRET');
  const session = await openvidu.createSession({ customSessionId: 'node-old' });
  const participant = await stage.browser.open({ version: '2.1.0' });
  await participant.join(await session.generateToken({ role: 'PUBLISHER', data: 'server side' }));
  await participant.publish();

  await openvidu.fetch();
  const fetched = openvidu.activeSessions.find(({ sessionId }) => sessionId === 'node-old');
  assert.equal(fetched.activeConnections.length, 1);
  assert.equal(fetched.activeConnections[0].publishers.length, 1);

  const started = await openvidu.startRecording('node-old', 'by-old-node');
  assert.equal(started.status, 'started');
  assert.equal((await openvidu.stopRecording(started.id)).name, 'by-old-node');
  assert.ok((await openvidu.listRecordings()).some(({ id }) => id === started.id));
  await openvidu.deleteRecording(started.id);
  await assert.rejects(openvidu.getRecording(started.id), /404/);
});

stage.test('answers every other call of openvidu-node-client 2.32.2', async () => {
  const { OpenVidu } = newNode.default ?? newNode;
  const openvidu = new OpenVidu(stage.server.url, 'MY_SECRET');
  openvidu.enableProdMode();
  const session = await openvidu.createSession({
    recordingMode: 'MANUAL', forcedVideoCodec: 'VP8', allowTranscoding: true,
    defaultRecordingProperties: { name: 'Lecture', outputMode: 'INDIVIDUAL' },
  });
  assert.equal(session.getSessionId(), session.sessionId);
  assert.deepEqual([session.properties.forcedVideoCodec, session.properties.allowTranscoding], ['VP8', true]);
  assert.equal(session.properties.defaultRecordingProperties.outputMode, 'INDIVIDUAL');

  const waiting = await session.createConnection({
    role: 'SUBSCRIBER', record: false, data: 'who', kurentoOptions: { videoMaxRecvBandwidth: 600, allowedFilters: ['None'] },
    customIceServers: [{ url: 'turn:turn.example', username: 'u', credential: 'c' }, { url: 'stun:stun.example' }],
  });
  assert.equal(waiting.status, 'pending');
  assert.equal(await openvidu.fetch(), true, 'sessions of other tests are there');
  assert.equal(await openvidu.fetch(), false, 'nothing changed meanwhile');
  assert.equal(session.connections.length, 1);
  await session.updateConnection(waiting.connectionId, { role: 'PUBLISHER', record: true });
  await session.fetch();
  const { role, record } = session.connections[0].connectionProperties;
  assert.deepEqual([role, record], ['PUBLISHER', true]);

  const guest = await stage.browser.open({ name: 'guest' });
  await guest.join(waiting.token);
  await guest.publish();
  const viewer = await stage.browser.open({ name: 'viewer' });
  await viewer.join(await session.generateToken({ role: 'MODERATOR', data: 'by token' }));
  await viewer.sees(guest, 'red');
  assert.equal(await openvidu.fetch(), true);
  assert.deepEqual(session.activeConnections.map(({ role, serverData }) => [role, serverData]), [['PUBLISHER', 'who'], ['MODERATOR', 'by token']]);
  assert.deepEqual(session.activeConnections[1].subscribers, [guest.streamId]);
  assert.ok((await openvidu.fetchWebRtc()).changes !== undefined);

  await session.fetch();
  await session.forceUnpublish(session.activeConnections[0].publishers[0]);
  await viewer.waitForEvent('streamDestroyed', ({ reason }) => reason === 'forceUnpublishByServer');
  await assert.rejects(session.forceUnpublish(guest.streamId), /404/);
  await assert.rejects(session.updateConnection('con_Nobody', { role: 'PUBLISHER' }), /404/);
  const unused = await session.createConnection();
  await session.forceDisconnect(unused);
  await session.forceDisconnect(guest.connectionId);
  await guest.waitForEvent('sessionDisconnected', ({ reason }) => reason === 'forceDisconnectByServer');
  await assert.rejects(session.forceDisconnect(guest.connectionId), /404/);

  const started = await openvidu.startRecording(session.sessionId, { outputMode: 'COMPOSED', resolution: '320x240', frameRate: 15 });
  assert.equal(started.properties.name, 'Lecture');
  await openvidu.stopRecording(started.id);
  await openvidu.deleteRecording(started.id);
  await assert.rejects(openvidu.startBroadcast(session.sessionId, 'rtmp://nowhere'), /404/);
  await assert.rejects(openvidu.stopBroadcast(session.sessionId), /404/);
  await session.close();
  await assert.rejects(session.close(), /404/);
  await openvidu.fetch();
  assert.ok(!openvidu.activeSessions.some(({ sessionId }) => sessionId === session.sessionId));
});

stage.test('answers every other call of openvidu-node-client 2.4.0', async () => {
  const { OpenVidu } = oldNode.default ?? oldNode;
  const openvidu = new OpenVidu(stage.server.url, 'MY_SECRET');
  const session = await openvidu.createSession({ defaultRecordingLayout: 'BEST_FIT', defaultCustomLayout: 'mine' });
  assert.equal(session.getSessionId(), session.sessionId);
  const guest = await stage.browser.open({ name: 'guest' });
  await guest.join(await session.generateToken());
  await guest.publish();
  const viewer = await stage.browser.open({ version: '2.1.0', name: 'viewer' });
  await viewer.join(await session.generateToken({ role: 'SUBSCRIBER', data: 'by token' }));
  await viewer.sees(guest, 'red');

  assert.equal(await session.fetch(), true);
  assert.equal(await session.fetch(), false, 'nothing changed meanwhile');
  assert.deepEqual([session.properties.mediaMode, session.properties.defaultRecordingLayout, session.properties.defaultCustomLayout],
    ['ROUTED', 'BEST_FIT', 'mine']);
  assert.deepEqual(session.activeConnections.map(({ role, serverData }) => [role, serverData]), [['PUBLISHER', ''], ['SUBSCRIBER', 'by token']]);
  assert.equal(session.activeConnections[0].publishers[0].typeOfVideo, 'CAMERA');
  assert.deepEqual(session.activeConnections[1].subscribers, [guest.streamId]);

  await session.forceUnpublish(session.activeConnections[0].publishers[0]);
  await viewer.waitForEvent('streamDestroyed', ({ reason }) => reason === 'forceUnpublishByServer');
  await session.forceDisconnect(guest.connectionId);
  await guest.waitForEvent('sessionDisconnected', ({ reason }) => reason === 'forceDisconnectByServer');
  await assert.rejects(session.forceDisconnect(guest.connectionId), /404/);
  await session.close();
  await viewer.waitForEvent('sessionDisconnected');
  await assert.rejects(session.fetch(), /404/);
});

test('says that recording is off when it is', { timeout: 30000 }, async () => {
  const server = await Server.start({ name: 'rest-off', settings: { 'openvidu.recording': false } });
  try {
    const session = (await server.rest.post(`${now}/sessions`, {})).expect(200).json.id;
    for (const base of [old, now])
      assert.equal((await server.rest.post(`${base}/recordings/start`, { session })).status, 501);
    assert.equal((await server.rest.get(`${now}/recordings`)).status, 501);
    assert.deepEqual((await server.rest.get(`${old}/recordings`)).expect(200).json, { count: 0, items: [] });
    assert.equal((await server.rest.get('/config/openvidu-recording')).text, 'false');
  } finally {
    await server.stop();
  }
});
