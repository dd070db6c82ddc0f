// Codecs and the encoder's profile, as configured: what clients negotiate, see, hear and find in the file.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import * as media from './lib/media.mjs';
import { Stage } from './lib/suite.mjs';
import { record } from './lib/wait.mjs';

const stage = new Stage({
  name: 'codecs',
  settings: {
    'openvidu.streams.forced-video-codec': 'H264',
    'encoder.preset': 'faster', 'encoder.quality': 31, 'encoder.max-video-bitrate': 1234,
    'encoder.keyframe-interval-ms': 400, 'encoder.threads': 1, 'encoder.audio-bitrate': 48,
  },
});

const answered = (participant, codec) =>
  participant.frames.filter((frame) => frame.startsWith('< ') && frame.includes('sdpAnswer') && frame.includes(`${codec}/90000`)).length;

stage.test('clients of both eras see each other in H264, and are recorded', async () => {
  const session = await stage.session();
  assert.equal((await stage.rest.get(`/openvidu/api/sessions/${session}`)).expect(200).json.forcedVideoCodec, 'H264');
  const anna = await stage.enter(session, { name: 'anna', colour: 'red', tone: 500 });
  const started = await stage.startRecording(session, { resolution: '640x360', frameRate: 15, name: 'h264' });
  const ben = await stage.enter(session, { version: '2.0.0', name: 'ben', colour: 'green', tone: 700 });
  await anna.sees(ben, 'green');
  await ben.sees(anna, 'red');
  for (const person of [anna, ben])
    assert.deepEqual([answered(person, 'H264'), answered(person, 'VP8')], [2, 0], person.label);
  await record(3);
  const stopped = await stage.stopRecording(started.id);

  const file = path.join(stage.server.recordings, stopped.id, 'h264.mp4');
  assert.equal(await media.decodeComplaints(file), '');
  const at = stopped.duration - 1;
  assert.equal(media.misplaced(await media.frameAt(file, at), ['red', 'green']), null);
  assert.deepEqual(media.heard(await media.sound(file), [500, 700], at - 0.5, at + 0.5), [500, 700]);
});

stage.test('a session may force another codec', async () => {
  const session = await stage.session({ forcedVideoCodec: 'VP8' });
  const anna = await stage.enter(session, { name: 'anna', colour: 'blue' });
  assert.deepEqual([answered(anna, 'H264'), answered(anna, 'VP8')], [0, 1]);
});

stage.test('the file is encoded as the profile says', async () => {
  const session = await stage.session();
  await stage.enter(session, { name: 'anna', colour: 'red', tone: 500 });
  const started = await stage.startRecording(session, { resolution: '320x240', frameRate: 15, name: 'profile' });
  await record(4);
  const stopped = await stage.stopRecording(started.id);

  const file = path.join(stage.server.recordings, stopped.id, 'profile.mp4');
  // x264 writes its settings into the stream; preset faster has subme=4.
  const settings = /x264 - core.*?options: ([^\0]*)/.exec(readFileSync(file, 'latin1'))[1].split(' ');
  for (const setting of ['crf=31.0', 'vbv_maxrate=1234', 'keyint=6', 'threads=1', 'subme=4'])
    assert.ok(settings.includes(setting), `${setting}: ${settings.join(' ')}`);
  const { audio } = await media.probe(file);
  assert.ok(Math.abs(audio.bit_rate / 48000 - 1) < 0.15, `${audio.bit_rate} bit/s of sound`);
});
