// Codecs and the encoder's profile, as configured: what clients negotiate, see, hear and find in the file.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import * as media from './lib/media.mjs';
import { Stage } from './lib/suite.mjs';
import { record, within } from './lib/wait.mjs';

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

// What a browser can, as far as its offers say.
const offersOnly = (participant, ...codecs) => participant.page.evaluate((wanted) => {
  const { createOffer } = RTCPeerConnection.prototype;
  const known = RTCRtpReceiver.getCapabilities('video').codecs.filter(({ mimeType, sdpFmtpLine = '' }) =>
    wanted.includes(mimeType.slice('video/'.length)) && !/profile-id=[1-9]$/.test(sdpFmtpLine));
  RTCPeerConnection.prototype.createOffer = function (...given) {
    for (const transceiver of this.getTransceivers())
      if (transceiver.receiver.track.kind === 'video')
        transceiver.setCodecPreferences(known);
    return createOffer.apply(this, given);
  };
}, codecs);

stage.test('who offers VP9 alone is seen, composed, and kept as it was sent', async () => {
  const session = await stage.session({ forcedVideoCodec: 'NONE' });
  const anna = await stage.browser.open({ name: 'anna', colour: 'red', tone: 500 });
  await offersOnly(anna, 'VP9');
  await anna.join(await stage.token(session));
  await anna.publish();
  const started = await stage.startRecording(session, { sinks: ['mp4', 'local'], resolution: '320x240', frameRate: 15, name: 'vp9' });
  const ben = await stage.enter(session, { name: 'ben', publish: false });
  await ben.sees(anna, 'red');
  for (const person of [anna, ben])
    assert.deepEqual(['VP9', 'VP8', 'H264'].map((codec) => answered(person, codec)), [1, 0, 0], person.label);

  const carl = await stage.browser.open({ name: 'carl' });
  await offersOnly(carl, 'VP8', 'H264');
  await carl.join(await stage.token(session, { role: 'SUBSCRIBER' }));
  await within(10, 'carl is told why he sees nothing', () =>
    carl.frames.some((frame) => frame.startsWith('< ') && /"error":.*which is coded as VP9/.test(frame)));
  await record(3);
  const stopped = await stage.stopRecording(started.id);

  const folder = path.join(stage.server.recordings, stopped.id);
  const kept = readdirSync(folder).filter((name) => name.endsWith('.webm'));
  assert.equal(kept.length, 1);
  for (const [name, codec] of [['vp9.mp4', 'h264'], [kept[0], 'vp9']]) {
    const file = path.join(folder, name);
    const { video, duration } = await media.probe(file);
    assert.deepEqual([video.codec_name, video.width, video.height], [codec, 320, 240], name);
    assert.ok(duration > stopped.duration - 1, `${name}: ${duration} s of ${stopped.duration} s`);
    assert.equal(await media.decodeComplaints(file, '-fps_mode', 'passthrough', '-enc_time_base', '-1'), '');
    const tile = media.tiles(await media.frameAt(file, duration - 1)).red;
    assert.ok(tile?.width > 312 && tile.height > 232, `${name}: red is at ${JSON.stringify(tile)}`);
    assert.deepEqual(media.heard(await media.sound(file), [500, 700], 1, duration - 0.5), [500], name);
  }
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
