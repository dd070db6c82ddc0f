// The load tool: what it shows and says is recorded, what it reports is true, and what goes wrong is told.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { Load } from './lib/load.mjs';
import * as media from './lib/media.mjs';
import { Server, secret, temporaryFolder } from './lib/server.mjs';
import { Stage } from './lib/suite.mjs';
import { record } from './lib/wait.mjs';

const stage = new Stage({ name: 'load', browser: false });
const small = ['--resolution', '320x240', '--rate', '15'];

stage.test('two who publish and watch each other are recorded, and report what they got', async () => {
  const load = new Load(stage.server, { session: 'two', words: [...small, '--publishers', 2, '--subscribe', '--stagger', 1] });
  await load.ready();
  const started = await stage.startRecording('two', { name: 'two', resolution: '640x360', frameRate: 15 });
  await record(3);
  const stopped = await stage.stopRecording(started.id);
  const { code, rows, said } = await load.stop();
  assert.equal(code, 0, said);
  assert.deepEqual([rows['participants.joined'], rows['participants.failed']], [2, 0]);
  assert.deepEqual([rows['streams.published'], rows['streams.watched'], rows['streams.refused']], [2, 2, 0]);
  assert.ok(rows['sent.video_frames'] > 60, JSON.stringify(rows));
  assert.ok(rows['received.video_frames'] > 45 && rows['received.video_frames'] <= rows['sent.video_frames'], JSON.stringify(rows));
  assert.deepEqual([rows['received.video_lost'], rows['received.audio_lost'], rows['received.pictureless'], rows['received.unread_pictures']],
    [0, 0, 0, 0]);
  assert.ok(rows['received.latency_ms_median'] >= 0 && rows['received.latency_ms_median'] < 3000, JSON.stringify(rows));

  const file = path.join(stage.server.recordings, stopped.id, 'two.mp4');
  const middle = stopped.duration / 2 + 0.5;
  assert.equal(media.misplaced(await media.frameAt(file, middle), ['red', 'green']), null);
  assert.deepEqual(media.heard(await media.sound(file), [500, 700, 900], middle, middle + 1), [500, 700]);
});

stage.test('a schedule says who comes, goes and comes again', async () => {
  const schedule = path.join(temporaryFolder('schedule'), 'schedule');
  writeFileSync(schedule, '# both publish\n0 join anna\n0.1 join ben publish watch session=elsewhere\n5 leave anna\n7 join anna # again\n12 leave anna\n12 leave ben\n');
  const load = new Load(stage.server, { session: 'planned', words: [...small, '--schedule', schedule, '--codec', 'H264', '--verbose'] });
  const { code, rows, said } = await load.ended();
  assert.equal(code, 0, said);
  assert.deepEqual([rows['participants.joined'], rows['streams.published'], rows['streams.watched']], [3, 3, 0]);
  assert.deepEqual(said.match(/anna (is in|has left)/g), ['anna is in', 'anna has left', 'anna is in', 'anna has left']);
  assert.deepEqual((await stage.rest.get('/openvidu/api/sessions/elsewhere/connection')).json?.content ?? [], []);
});

stage.test('who gets no way in is told why', async () => {
  const refused = async (words, options) => {
    const { code, said, rows } = await new Load(stage.server, { session: 'none', words, ...options }).ended();
    assert.deepEqual(rows, {});
    return { code, said };
  };
  const wrong = await refused([], { secret: 'surely not' });
  assert.equal(wrong.code, 1);
  assert.match(wrong.said, /cannot create session 'none': the server answers 401: the secret is wrong/);
  assert.ok(!wrong.said.includes('surely not'));
  const none = await refused([], { secret: '' });
  assert.equal(none.code, 2);
  assert.match(none.said, /secret is missing: .*--secret-file.*OPENVIDU_SECRET/);
  assert.match((await refused(['--secret-file', '/nowhere/secret'])).said, /\/nowhere\/secret/);
  assert.match((await refused(['--resolution', 'huge'])).said, /--resolution huge: expected WIDTHxHEIGHT/);
  assert.match((await refused(['--url', 'http://localhost'])).said, /'http:\/\/localhost' is no address of a server/);
  assert.match((await refused(['--url', 'https://localhost:1'])).said, /cannot connect to localhost:1: .*is the server running\?/);
});

stage.test('a server that goes away is noticed by everybody, and the report comes all the same', async () => {
  const doomed = await Server.start({ name: 'doomed' });
  const load = new Load(doomed, { session: 'doomed', secret, words: [...small, '--publishers', 2] });
  await load.ready();
  await doomed.stop('SIGKILL');
  const { code, rows, said } = await load.ended();
  assert.equal(code, 1);
  assert.match(said, /load-1: the (server closed the connection|connection to the server broke)/);
  assert.match(said, /load-2: the (server closed the connection|connection to the server broke)/);
  assert.deepEqual([rows['participants.joined'], rows['participants.failed']], [2, 2]);
});
