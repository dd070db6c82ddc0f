// The classic way to record: a browser on a screen of its own, in front of a grabber of that screen and of its sound.
//
// It is what OpenVidu's own recorder does, with the options of its scripts composed.sh and headless-chrome.sh (of the days when they said ultrafast).
// What only this way needs (Xvfb, PulseAudio) is installed here, not by `make deps`.
import { execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { temporaryFolder } from '../e2e/lib/server.mjs';
import { within } from '../e2e/lib/wait.mjs';
import { treeOf } from './stage.mjs';

const needs = {
  '/usr/bin/Xvfb': 'xvfb',
  '/usr/bin/pulseaudio': 'pulseaudio',
  '/etc/alsa/conf.d/50-pulseaudio.conf': 'libasound2-plugins',
};

export async function installGrabber(bench) {
  execFileSync('chromium', ['--version'], { stdio: 'ignore' });
  const missing = Object.keys(needs).filter((file) => !existsSync(file)).map((file) => needs[file]);
  if (missing.length === 0)
    return;
  bench.note(`installing ${missing.join(' ')}`);
  const asRoot = process.getuid() === 0 ? [] : ['sudo'];
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  for (const words of [['update'], ['install', '-y', '--no-install-recommends', ...missing]]) {
    const [program, ...rest] = [...asRoot, 'apt-get', ...words];
    await promisify(execFile)(program, rest, { env, maxBuffer: 2 ** 26 });
  }
}

/** Programs that run until they are ended, the last one first. */
class Programs {
  constructor(folder) {
    this.folder = folder;
    this.children = [];
    this.environment = { ...process.env, HOME: folder, XDG_RUNTIME_DIR: folder, PULSE_SERVER: `unix:${folder}/sound` };
    process.on('exit', () => this.children.forEach((child) => child.kill('SIGKILL')));
  }

  start(program, words, stdio = ['ignore', 'ignore', 'pipe']) {
    const child = spawn(program, words, { env: this.environment, stdio });
    child.said = '';
    child.stderr.setEncoding('utf8').on('data', (text) => (child.said += text));
    child.gone = once(child, 'exit');
    this.children.push(child);
    return child;
  }

  pids() {
    return [...new Set(this.children.flatMap(({ pid }) => treeOf(pid)))];
  }

  async stop() {
    for (const child of this.children.splice(0).reverse()) {
      const kill = setTimeout(() => child.kill('SIGKILL'), 5000);
      child.kill('SIGINT');
      await child.gone;
      clearTimeout(kill);
    }
  }
}

async function startScreen(programs) {
  const screen = programs.start('Xvfb', ['-displayfd', '3', '-screen', '0', '1280x720x24', '-nolisten', 'tcp'], ['ignore', 'ignore', 'pipe', 'pipe']);
  const [number] = await once(screen.stdio[3].setEncoding('utf8'), 'data');
  programs.environment.DISPLAY = `:${number.trim()}`;
  programs.start('pulseaudio', ['-n', '--daemonize=no', '--exit-idle-time=-1', '-L', 'module-null-sink sink_name=out', '-L',
    `module-native-protocol-unix auth-anonymous=1 socket=${programs.folder}/sound`]);
  await within(10, 'PulseAudio listens', () => existsSync(`${programs.folder}/sound`));
}

/** Answers the path of its connection. */
async function startBrowser(programs, { server, n, writePage }) {
  const { id, token } = (await server.rest.post('/openvidu/api/sessions/bench/connection', { role: 'SUBSCRIBER' })).expect(200).json;
  programs.start('chromium', ['--kiosk', '--start-maximized', '--test-type', '--no-sandbox', '--disable-infobars', '--disable-gpu', '--disable-popup-blocking',
    '--window-size=1280,720', '--window-position=0,0', '--no-first-run', '--ignore-certificate-errors', '--disable-dev-shm-usage',
    '--autoplay-policy=no-user-gesture-required', '--disable-sync', '--no-default-browser-check', '--disable-component-update',
    '--disable-background-networking', '--disable-default-apps', '--disable-features=Translate,WebRtcHideLocalIpsWithMdns',
    '--allow-loopback-in-peer-connection', `--user-data-dir=${programs.folder}/profile`,
    `file://${writePage(programs.folder, token)}`]);
  await within(30, 'the browser watches everybody', async () => {
    const { content } = (await server.rest.get('/openvidu/api/sessions/bench/connection')).expect(200).json;
    return content.some(({ subscribers }) => (subscribers ?? []).length === n);
  });
  return `/openvidu/api/sessions/bench/connection/${id}`;
}

/** Records 1280x720 at 25 of a page that watches the n people of the session "bench" until it is stopped. */
export class Grabber {
  /** writePage (folder, token) writes the page, which joins by the token, and answers its address behind "file://". */
  static async start(target) {
    const grabber = new Grabber();
    const programs = new Programs(temporaryFolder('classic'));
    Object.assign(grabber, { programs, server: target.server, file: path.join(programs.folder, 'classic.mp4') });
    try {
      await startScreen(programs);
      grabber.connection = await startBrowser(programs, target);
    } catch (error) {
      await programs.stop();
      throw error;
    }
    // Sound by ALSA: ffmpeg's own reader of PulseAudio waits 0.6 s for each piece, and its grabber of the screen with it.
    grabber.ffmpeg = programs.start('ffmpeg', ['-v', 'error', '-y', '-f', 'alsa', '-i', 'pulse', '-f', 'x11grab', '-draw_mouse', '0', '-framerate', '25',
      '-video_size', '1280x720', '-i', programs.environment.DISPLAY, '-c:a', 'aac', '-c:v', 'libx264', '-preset', 'ultrafast', '-crf', '28', '-refs', '4',
      '-qmin', '4', '-pix_fmt', 'yuv420p', '-filter:v', 'fps=25', grabber.file]);
    return grabber;
  }

  /** All its processes now. */
  pids() {
    return this.programs.pids();
  }

  /** Ends all and answers the file. A server waits for a browser that is gone, and goes on sending, unless it is told. */
  async stop() {
    await this.programs.stop();
    if (!existsSync(this.file))
      throw new Error(`the classic way recorded nothing: ${this.ffmpeg.said}`);
    (await this.server.rest.delete(this.connection)).expect(204);
    return this.file;
  }
}
