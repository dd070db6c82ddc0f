/* page-pulse.js - runs in each page, in a world of its own that the page's scripts don't see: draws next to nothing, again and
 * again.
 *
 * Chromium draws a window 60 times a second, but 30 times where nothing but videos of that rate has changed for a quarter of
 * a second. Each video then misses one of its pictures whenever that comes a little late, and a fifth of them never gets into
 * the recording. So something else changes all the time: one pixel, whose opacity is too low to be seen. It is in a shadow
 * tree, where it disturbs no MutationObserver. */
'use strict';

const PULSE_MS = 100;

function beat () {
  const host = document.createElement('recto-pulse');
  const dot = document.createElement('div');
  host.style.cssText = 'all: initial !important; position: fixed !important; left: 0 !important; top: 0 !important;' +
    'width: 1px !important; height: 1px !important; contain: strict !important; pointer-events: none !important';
  dot.style.cssText = 'width: 1px; height: 1px; background: #808080; will-change: opacity';
  host.attachShadow({ mode: 'closed' }).append(dot);
  document.documentElement.append(host);
  const videos = document.getElementsByTagName('video');
  let isOdd = false;
  setInterval(() => {
    if ([...videos].every(({ paused }) => paused)) return; // what stands still costs nothing
    isOdd = !isOdd;
    dot.style.opacity = isOdd ? 0.001 : 0.0005;
  }, PULSE_MS);
}

if (window === top) addEventListener('DOMContentLoaded', beat, { once: true });
