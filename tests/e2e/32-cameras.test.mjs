// IP cameras over RTSP: participants without a browser, seen, heard and recorded; those that go away; bad ones.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { after } from 'node:test';
import { Camera } from './lib/camera.mjs';
import * as media from './lib/media.mjs';
import { freePort, temporaryFolder } from './lib/server.mjs';
import { Stage } from './lib/suite.mjs';
import { record, within } from './lib/wait.mjs';

const history = temporaryFolder('cdr');
const stage = new Stage({
  name: 'cameras',
  settings: {
    'openvidu.cdr': true, 'openvidu.cdr.path': history,
    'media.camera-hosts': '127.0.0.1', 'media.camera-retry-s': 6, 'media.camera-timeout-ms': 8000, 'media.max-cameras': 2,
  },
});
const cameras = [];
const plugIn = async (facts) => {
  const camera = await Camera.start(facts);
  cameras.push(camera);
  return camera;
};
after(() => Promise.all(cameras.map((camera) => camera.end())));

const ask = (session, body) => stage.rest.post(`/openvidu/api/sessions/${session}/connection`, { type: 'IPCAM', networkCache: 200, ...body });
const connect = async (session, body) => (await ask(session, body)).expect(200).json;
const seenAs = (connection, label) => ({ connectionId: connection.connectionId, label });

stage.test('is seen, heard and recorded, and leaves when it stays away', async () => {
  const session = await stage.session();
  const camera = await plugIn({ colour: 'green', sound: 700 });
  const anna = await stage.enter(session, { name: 'anna', publish: false });
  const joined = await connect(session, { rtspUri: camera.uri, data: 'door', onlyPlayWithSubscribers: false });

  const { publishers: [publisher], ...rest } = joined;
  assert.deepEqual(
    { ...rest, id: 0, connectionId: 0, createdAt: 0, activeAt: 0 },
    {
      id: 0, object: 'connection', status: 'active', connectionId: 0, sessionId: session, createdAt: 0, type: 'IPCAM', record: true,
      role: null, kurentoOptions: null, customIceServers: [], rtspUri: camera.uri, adaptativeBitrate: true,
      onlyPlayWithSubscribers: false, networkCache: 200, serverData: 'door', token: null, activeAt: 0, location: 'unknown',
      ip: '127.0.0.1', platform: 'IPCAM', clientData: null, subscribers: [],
    });
  assert.equal(publisher.mediaOptions.typeOfVideo, 'IPCAM');
  assert.match(publisher.streamId, /^str_IPC_\w{4}_ipc_IPCAM_\w+$/);
  const created = await anna.waitForEvent('streamCreated');
  assert.deepEqual([created.streamId, created.typeOfVideo, created.hasAudio, created.hasVideo], [publisher.streamId, 'IPCAM', true, true]);
  await anna.sees(seenAs(joined, camera.label), 'green');
  await anna.hears(seenAs(joined, camera.label), 700);
  (await stage.rest.delete(`/openvidu/api/sessions/${session}/stream/${publisher.streamId}`)).expect(405);

  const started = await stage.startRecording(session, { resolution: '640x360', frameRate: 15, name: 'door' });
  await record(3);
  const stopped = await stage.stopRecording(started.id);
  const file = path.join(stage.server.recordings, stopped.id, 'door.mp4');
  assert.equal(await media.decodeComplaints(file), '');
  const at = stopped.duration - 0.7;
  assert.equal(media.misplaced(await media.frameAt(file, at), ['green']), null);
  assert.deepEqual(media.heard(await media.sound(file), [500, 700], at - 0.4, at + 0.4), [700]);

  const told = await within(10, 'the CDR file tells of the camera', () => readFileSync(path.join(history, 'CDR.log'), 'utf8')
    .split('\n').slice(0, -1).map((line) => JSON.parse(line).webrtcConnectionCreated).find((event) => event?.connection === 'OUTBOUND'));
  assert.deepEqual([told.connectionId, told.videoSource, told.rtspUri, told.adaptativeBitrate, told.onlyPlayWithSubscribers, told.networkCache],
    [joined.connectionId, 'IPCAM', camera.uri, true, false, 200]);

  // Back in time, it goes on; away for too long, it leaves.
  await camera.end();
  const again = await plugIn({ colour: 'blue', sound: 700, port: camera.port });
  await anna.sees(seenAs(joined, again.label), 'blue', 20);
  await again.end();
  const left = await anna.waitForEvent('connectionDestroyed', (event) => event.connectionId === joined.connectionId, 40);
  assert.equal(left.reason, 'networkDisconnect');
  assert.equal((await anna.events('streamDestroyed'))[0].streamId, publisher.streamId);
});

stage.test('is played for as long as somebody watches, and until its connection is deleted', async () => {
  const session = await stage.session();
  const password = 'pass/word:3 %@';
  const camera = await plugIn({ colour: 'yellow', codec: 'VP8', auth: ['digest', 'admin', password] });
  const inUri = encodeURIComponent(password);
  const joined = await connect(session, { rtspUri: camera.uri.replace('//', `//admin:${inUri}@`) });
  assert.equal(joined.rtspUri, camera.uri);
  await within(20, 'nobody watches, and the camera is left', () => camera.visits === 1 && camera.clients === 0);
  const anna = await stage.enter(session, { name: 'anna', publish: false });
  await anna.sees(seenAs(joined, camera.label), 'yellow');
  assert.deepEqual([camera.visits, camera.clients], [2, 1]);
  (await stage.rest.delete(`/openvidu/api/sessions/${session}/connection/${joined.id}`)).expect(204);
  const left = await anna.waitForEvent('connectionDestroyed', (event) => event.connectionId === joined.connectionId);
  assert.equal(left.reason, 'forceDisconnectByServer');
  await within(10, 'the camera is left', () => camera.clients === 0);
  const all = `${JSON.stringify((await stage.rest.get('/openvidu/api/sessions')).json)}${readFileSync(path.join(history, 'CDR.log'))}${stage.server.log()}`;
  assert.ok(all.includes(joined.connectionId) && !all.includes(inUri) && !all.includes(password));
});

stage.test('that cannot be played is refused, and leaves no trace', async () => {
  const session = await stage.session();
  const good = await plugIn({ colour: 'red' });
  const jpeg = await plugIn({ colour: 'red', codec: 'JPEG' });
  const refused = async (status, body) => (await ask(session, body)).expect(status).json.message;
  assert.match(await refused(400, {}), /rtspUri/);
  for (const rtspUri of ['rtsp//door', 'http://127.0.0.1/live', 'file:///etc/passwd', 'rtsp://localhost/live', 'rtsp://10.0.0.1/live'])
    assert.match(await refused(400, { rtspUri }), /rtspUri/);
  assert.match(await refused(500, { rtspUri: `rtsp://127.0.0.1:${await freePort()}/live` }), /cannot play the IP camera/);
  assert.match(await refused(500, { rtspUri: good.uri.replace('live', 'nothing') }), /cannot play the IP camera/);
  assert.match(await refused(500, { rtspUri: jpeg.uri }), /H\.264 or VP8/);
  const locked = await plugIn({ colour: 'red', auth: ['basic', 'admin', 'right'] });
  assert.match(await refused(500, { rtspUri: locked.uri }), /cannot play the IP camera/);
  const message = await refused(500, { rtspUri: locked.uri.replace('//', '//admin:wrong@') });
  assert.match(message, /cannot play the IP camera/);
  assert.ok(!message.includes('wrong') && !stage.server.log().includes('wrong@'));
  const { connections } = (await stage.rest.get(`/openvidu/api/sessions/${session}`)).expect(200).json;
  assert.equal(connections.numberOfElements, 0);

  await connect(session, { rtspUri: good.uri });
  await connect(session, { rtspUri: good.uri });
  assert.match(await refused(429, { rtspUri: good.uri }), /media\.max-cameras/);
  (await stage.rest.delete(`/openvidu/api/sessions/${session}`)).expect(204);
  await within(10, 'both are left', () => good.visits === 3 && good.clients === 0);
});
