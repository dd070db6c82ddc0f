/* page-controller.js - runs in a window beside the page: captures the page's tab, encodes its picture, and hands picture
 * and sound to the worker through the binding rectoSend, one line of words each:
 *
 *   video KEYFRAME(0|1) TIMESTAMP BASE64      H.264 with start codes; microseconds of CLOCK_MONOTONIC
 *   sound TIMESTAMP RATE BASE64               two channels of 16 bits; microseconds of a clock of its own
 *   size WIDTH HEIGHT                         of the captured picture, when it changes
 *   look SPREAD                               0: one colour only, to 255; while watching
 *   error TEXT                                it cannot go on
 *
 * begin, keyframe, watch and measure are called by the worker. */
'use strict';

const LOOK_MS = 200;
const MAX_WAITING = 4; /* pictures before the encoder; what comes then is left out */
const LOUD = 0.05;
const SILENCE_US = 60e3; /* between two beeps */
const TOGETHER_MS = 90; /* a flash and its beep arrive within this; half the time to the next */
const BRIGHTER = 60; /* of 255: a flash */

const tab = { size: '', wantsKeyframe: true, nSinceKeyframe: 0, flashes: null, beeps: null };

const send = (...words) => rectoSend(words.join(' '));
const fail = (error) => send('error', String(error?.message ?? error));

/* --- looking: small, so that it costs little --- */

const small = new OffscreenCanvas(64, 36).getContext('2d', { willReadFrequently: true });

function readSmall (frame) {
  small.drawImage(frame, 0, 0, 64, 36);
  return small.getImageData(0, 0, 64, 36).data;
}

/* By how much any pixel differs from the first. */
function getSpread (pixels) {
  let spread = 0;
  for (let i = 4; i < pixels.length; i++)
    if (i % 4 !== 3) spread = Math.max(spread, Math.abs(pixels[i] - pixels[i % 4]));
  return spread;
}

function getBrightness (pixels) {
  let sum = 0;
  for (let i = 0; i < pixels.length; i += 4) sum += pixels[i];
  return sum / (pixels.length / 4);
}

function lookForFlash (frame) {
  const brightness = getBrightness(readSmall(frame));
  if (brightness - tab.brightness > BRIGHTER) tab.flashes.push({ at: frame.timestamp, seen: performance.now() });
  tab.brightness = brightness;
}

/* --- picture --- */

/* How often to look at the tab. Chromium draws it 60 times a second, or 30 times when all that moves are videos, and what it
 * is asked for comes in whole steps of that: of 25 pictures four come after 33 ms and the fifth after 67. A recording needs
 * a new one within each of its own steps, so we ask for the next rate that divides 30 (60), and a little more, as times are
 * rounded. */
function getCaptureRate (frameRate) {
  const drawn = frameRate > 30 ? 60 : 30;
  return Math.max(frameRate, drawn / Math.max(1, Math.floor(drawn / frameRate))) * 1.05;
}

function encode (frame) {
  if (tab.encoder.encodeQueueSize > MAX_WAITING) return;
  const keyFrame = tab.wantsKeyframe || ++tab.nSinceKeyframe >= tab.keyframeInterval;
  if (keyFrame) {
    tab.wantsKeyframe = false;
    tab.nSinceKeyframe = 0;
  }
  tab.encoder.encode(frame, { keyFrame });
}

function onEncoded (chunk) {
  const data = new Uint8Array(chunk.byteLength);
  chunk.copyTo(data);
  send('video', chunk.type === 'key' ? 1 : 0, Math.round(chunk.timestamp), data.toBase64());
}

function onPicture (frame) {
  const size = frame.displayWidth + ' ' + frame.displayHeight;
  if (size !== tab.size) {
    tab.size = size;
    tab.wantsKeyframe = true;
    send('size', size);
  }
  if (tab.flashes) lookForFlash(frame);
  encode(frame);
  tab.last?.close();
  tab.last = frame;
}

/* --- sound --- */

function listen (block, samples) {
  const first = samples.findIndex((sample) => Math.abs(sample) > LOUD * 32767);
  if (first < 0) return;
  const at = block.timestamp + Math.floor(first / 2) * 1e6 / block.sampleRate;
  if (at - tab.heardAt > SILENCE_US) tab.beeps.push({ at, seen: performance.now() });
  tab.heardAt = block.timestamp + block.numberOfFrames * 1e6 / block.sampleRate;
}

function onSound (block) {
  const n = block.numberOfFrames;
  const plane = new Float32Array(n);
  const samples = new Int16Array(n * 2);
  for (let channel = 0; channel < 2; channel++) {
    block.copyTo(plane, { planeIndex: Math.min(channel, block.numberOfChannels - 1), format: 'f32-planar' });
    for (let i = 0; i < n; i++) samples[2 * i + channel] = Math.round(Math.max(-1, Math.min(1, plane[i])) * 32767);
  }
  if (tab.beeps) listen(block, samples);
  send('sound', Math.round(block.timestamp), block.sampleRate, new Uint8Array(samples.buffer).toBase64());
  block.close();
}

/* --- called by the worker --- */

async function pump (track, maxBufferSize, take) {
  const reader = new MediaStreamTrackProcessor({ track, maxBufferSize }).readable.getReader();
  for (;;) {
    const { value, done } = await reader.read();
    if (done) throw new Error('the capture of the tab has ended');
    take(value);
  }
}

async function begin ({ width, height, frameRate, bitrate, hasAudio }) {
  const captureRate = getCaptureRate(frameRate);
  const stream = await navigator.mediaDevices.getDisplayMedia({
    video: { width, height, frameRate: captureRate },
    audio: hasAudio && { echoCancellation: false, noiseSuppression: false, autoGainControl: false },
    surfaceSwitching: 'exclude', selfBrowserSurface: 'exclude', systemAudio: 'exclude',
  });
  const [picture] = stream.getVideoTracks();
  const [sound] = stream.getAudioTracks();
  if (hasAudio && !sound) throw new Error('the tab is captured without its sound');
  tab.keyframeInterval = Math.round(captureRate);
  tab.encoder = new VideoEncoder({ output: onEncoded, error: fail });
  tab.encoder.configure({
    codec: 'avc1.640033', width, height, framerate: captureRate, bitrate,
    avc: { format: 'annexb' }, hardwareAcceleration: 'prefer-software', latencyMode: 'realtime',
  });
  pump(picture, 4, onPicture).catch(fail);
  if (sound) pump(sound, 100, onSound).catch(fail);
}

/* The next picture; if the page stands still, the last one once more. */
function keyframe () {
  tab.wantsKeyframe = true;
  if (!tab.last) return;
  const again = new VideoFrame(tab.last, { timestamp: tab.last.timestamp + 1 });
  encode(again);
  tab.last.close();
  tab.last = again;
}

/* By the clock: a page that stands still gives no pictures. */
function watch (isWatching) {
  clearInterval(tab.watch);
  if (!isWatching) return;
  tab.wantsKeyframe = true;
  tab.watch = setInterval(() => {
    if (!tab.last) return;
    if (tab.wantsKeyframe) keyframe();
    send('look', getSpread(readSmall(tab.last)));
  }, LOOK_MS);
}

/* Between two calls the page flashes and beeps. The second one answers by how much the sound's clock is behind the
 * picture's, in microseconds (the median of all flashes), or NaN. */
function measure () {
  if (!tab.flashes) {
    Object.assign(tab, { flashes: [], beeps: [], brightness: 255, heardAt: -1e12 });
    return NaN;
  }
  const { flashes, beeps } = tab;
  tab.flashes = tab.beeps = null;
  const differences = [];
  for (const flash of flashes) {
    const beep = beeps.find(({ seen }) => Math.abs(seen - flash.seen) < TOGETHER_MS);
    if (beep) differences.push(flash.at - beep.at);
  }
  differences.sort((a, b) => a - b);
  const { length } = differences;
  return length < 2 ? NaN : (differences[(length - 1) >> 1] + differences[length >> 1]) / 2;
}
