// An IP camera: a program of ours that serves a GStreamer pipeline by RTSP.
import { spawn } from 'node:child_process';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { palette } from './palette.mjs';
import { build } from './server.mjs';
import { within } from './wait.mjs';

const running = new Set();
process.on('exit', () => running.forEach((child) => child.kill('SIGKILL')));

const picture = (colour) => `videotestsrc is-live=true pattern=solid-color foreground-color=${
  (0xff000000 + palette[colour].reduce((all, part) => all * 256 + part)) >>> 0} ! video/x-raw,format=I420,width=320,height=240,framerate=15/1`;
const pipelines = {
  H264: (colour) => `${picture(colour)} ! x264enc tune=zerolatency speed-preset=ultrafast key-int-max=15 bitrate=300 ! rtph264pay name=pay0 pt=96`,
  VP8: (colour) => `${picture(colour)} ! vp8enc deadline=1 cpu-used=8 keyframe-max-dist=15 target-bitrate=300000 ! rtpvp8pay name=pay0 pt=96`,
  JPEG: (colour) => `${picture(colour)} ! jpegenc ! rtpjpegpay name=pay0 pt=26`,
};

export class Camera {
  /** sound: the hertz of a tone in G.711. port: one that a camera before it had. auth: 'basic' or 'digest', user, password. */
  static async start({ colour, codec = 'H264', sound, port = 0, auth = [] }) {
    const tone = sound ? `audiotestsrc is-live=true freq=${sound} volume=0.4 ! audio/x-raw,rate=8000,channels=1 ! mulawenc ! rtppcmupay name=pay1 pt=0` : '';
    const camera = new Camera();
    camera.label = `the ${colour} camera`;
    camera.clients = 0;
    camera.visits = 0;
    camera.child = spawn(path.join(build, 'tests/tools/camera'), [String(port), `( ${pipelines[codec](colour)} ${tone} )`, ...auth],
      { stdio: ['ignore', 'pipe', 'inherit'] });
    running.add(camera.child);
    createInterface(camera.child.stdout).on('line', (line) => {
      const [what, number] = line.split(' ');
      if (what === 'clients' && number > camera.clients)
        camera.visits++;
      camera[what] = Number(number);
    });
    await within(10, 'the camera listens', () => camera.port);
    camera.uri = `rtsp://127.0.0.1:${camera.port}/live`;
    return camera;
  }

  async end() {
    const ended = new Promise((resolve) => this.child.once('exit', resolve));
    this.child.kill('SIGKILL');
    await ended;
    running.delete(this.child);
  }
}
