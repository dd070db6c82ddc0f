/* page-calibration.js - runs in the tab to be captured, before the page does: flashes and beeps at the same time, so that
 * the difference of the two clocks can be measured. Both are as a page would do it. */
'use strict';

const FLASHES = 4;
const SPACING_MS = 90; /* of a flash, and of the dark before it; more when pictures are rare */

const wait = (ms) => new Promise((done) => setTimeout(done, ms));

async function flash (frameRate) {
  const spacing = Math.max(SPACING_MS, 1100 / frameRate);
  const sound = new AudioContext();
  const tone = new OscillatorNode(sound, { frequency: 1000 });
  const volume = new GainNode(sound, { gain: 0 });
  tone.connect(volume).connect(sound.destination);
  tone.start();
  await sound.resume();
  for (let i = 0; i < FLASHES; i++) {
    await wait(spacing);
    await new Promise(requestAnimationFrame);
    document.body.style.background = '#fff';
    volume.gain.setValueAtTime(0.5, sound.currentTime);
    await wait(spacing);
    document.body.style.background = '#000';
    volume.gain.setValueAtTime(0, sound.currentTime);
  }
  await wait(spacing);
  await sound.close();
}
