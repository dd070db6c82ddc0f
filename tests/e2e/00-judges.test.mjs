// The judges of the other tests, judged: files made by ffmpeg whose content is known.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { test } from 'node:test';
import * as media from './lib/media.mjs';
import { palette } from './lib/palette.mjs';
import { temporaryFolder } from './lib/server.mjs';

const folder = temporaryFolder('judges');

function make(name, ...args) {
  const file = path.join(folder, name);
  execFileSync('ffmpeg', ['-v', 'error', ...args, '-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-c:a', 'aac', file]);
  return file;
}

const hex = (colour) => `0x${palette[colour].map((value) => value.toString(16).padStart(2, '0')).join('')}`;
const box = (colour, x, y, w, h) => `drawbox=${x}:${y}:${w}:${h}:${hex(colour)}:fill`;

test('tiles are found to the pixel, and wrong ones are named', async () => {
  const right = make('right.mp4', '-f', 'lavfi', '-i', `color=black:640x360:r=10:d=1,${box('red', 0, 20, 212, 318)},${box('green', 212, 20, 212, 318)},${box('blue', 426, 20, 212, 318)}`);
  const frame = await media.frameAt(right, 0.5);
  const { red } = media.tiles(frame);
  assert.deepEqual([red.x, red.y, red.width, red.height], [0, 20, 212, 318]);
  assert.equal(media.misplaced(frame, ['red', 'green', 'blue']), null);
  assert.match(media.misplaced(frame, ['green', 'red', 'blue']), /red is at 0,20.*instead of 213,20/);
  assert.match(media.misplaced(frame, ['red', 'green']), /blue should not be there/);
  assert.match(media.misplaced(frame, []), /should not be there/);

  const off = make('off.mp4', '-f', 'lavfi', '-i', `color=black:640x360:r=10:d=1,${box('red', 0, 0, 320, 360)},${box('green', 324, 0, 316, 360)}`);
  assert.match(media.misplaced(await media.frameAt(off, 0.5), ['red', 'green']), /^green is at 324,0,316,360/);
  await assert.rejects(media.frameAt(off, 5), /no frame at 5 s/);
});

test('tones are heard when they sound and where they sound', async () => {
  const file = make('tones.mp4', '-f', 'lavfi', '-i', "aevalsrc=0.2*sin(2*PI*500*t)+0.2*sin(2*PI*700*t)*gte(t\\,2):s=48000:d=4");
  const samples = await media.sound(file);
  assert.deepEqual(media.heard(samples, [500, 700, 900], 0.5, 1.5), [500]);
  assert.deepEqual(media.heard(samples, [500, 700, 900], 2.5, 3.5), [500, 700]);
  assert.ok(Math.abs(media.loudness(samples, 500, 1, 2) - 0.2) < 0.02);
});

test('the distance between flash and beep is measured', async () => {
  for (const late of [0, 0.1, -0.06]) {
    const file = make(`sync${late}.mp4`, '-f', 'lavfi', '-i', "color=black:160x120:r=50:d=6,drawbox=color=white:t=fill:enable='lt(mod(t+0.5\\,1)\\,0.1)'",
      '-f', 'lavfi', '-i', `aevalsrc=0.5*sin(2*PI*1000*t)*lt(mod(t+0.5-(${late})\\,1)\\,0.1):s=48000:d=6`);
    const offsets = await media.syncOffsets(file);
    assert.ok(offsets.length >= 5);
    for (const { ms } of offsets)
      assert.ok(Math.abs(ms - late * 1000) <= 12, `${ms} ms instead of ${late * 1000} ms`);
  }
});

test('a damaged file is complained about', async () => {
  const whole = make('whole.mp4', '-f', 'lavfi', '-i', 'testsrc=160x120:d=2');
  assert.equal(await media.decodeComplaints(whole), '');
  const cut = path.join(folder, 'cut.mp4');
  execFileSync('sh', ['-c', 'head -c 9000 "$0" > "$1"', whole, cut]);
  assert.notEqual(await media.decodeComplaints(cut), '');
});
