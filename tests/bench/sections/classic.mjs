// The classic way to record, a browser in front of a screen grabber, beside ours: the same four people, from the same server, one after the other.
//
// What only this way needs (Xvfb, PulseAudio) is installed here, not by `make deps`.
import { execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { root, temporaryFolder } from '../../e2e/lib/server.mjs';
import { within } from '../../e2e/lib/wait.mjs';
import { Recording, countUniqueFrames, measure, pause, treeOf, withPeople, withServer } from '../stage.mjs';

export const after = ['composed'];

const seconds = 10;
const settle = 3;
const n = 4;
const has = (program) => ['/usr/bin', '/bin'].some((folder) => existsSync(path.join(folder, program)));

async function install(bench) {
  const missing = [['Xvfb', 'xvfb'], ['pulseaudio', 'pulseaudio']].filter(([program]) => !has(program)).map(([, name]) => name);
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

const page = (token) => `<!doctype html><title>classic</title>
<style>body { margin: 0; background: black; display: grid; grid-template-columns: 1fr 1fr; height: 100vh } div { overflow: hidden; height: 50vh }
video { width: 100%; height: 100%; object-fit: cover }</style>
<script>${readFileSync(path.join(root, 'node_modules/openvidu-browser-2.32.2/static/js/openvidu-browser-2.32.2.min.js'), 'utf8').replaceAll('</script', '<\\/script')}</script>
<script>
  const session = new OpenVidu().initSession();
  session.on('streamCreated', ({ stream }) => session.subscribe(stream, document.body.appendChild(document.createElement('div'))));
  session.connect(${JSON.stringify(token)});
</script>`;

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

async function startBrowser(programs, server) {
  const { token } = (await server.rest.post('/openvidu/api/sessions/bench/connection', { role: 'SUBSCRIBER' })).expect(200).json;
  const file = path.join(programs.folder, 'classic.html');
  writeFileSync(file, page(token));
  programs.start('chromium', ['--kiosk', '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync', '--autoplay-policy=no-user-gesture-required', '--ignore-certificate-errors',
    '--allow-loopback-in-peer-connection', '--window-size=1280,720', '--window-position=0,0', `--user-data-dir=${programs.folder}/profile`,
    `file://${file}`]);
  await within(30, 'the browser watches everybody', async () => {
    const { content } = (await server.rest.get('/openvidu/api/sessions/bench/connection')).expect(200).json;
    return content.some(({ subscribers }) => (subscribers ?? []).length === n);
  });
}

async function recordOurs(server) {
  const recording = await Recording.start(server, 'bench', { resolution: '1280x720', frameRate: 25 });
  await pause(settle);
  const used = await measure(seconds, { recorder: await recording.worker(), server: server.pid });
  await recording.stop();
  return used;
}

async function recordClassic(bench, server) {
  const programs = new Programs(temporaryFolder('classic'));
  const file = path.join(programs.folder, 'classic.mp4');
  let grabber;
  let used;
  try {
    await startScreen(programs);
    await startBrowser(programs, server);
    grabber = programs.start('ffmpeg', ['-v', 'error', '-y', '-f', 'x11grab', '-draw_mouse', '0', '-framerate', '25', '-video_size', '1280x720', '-i',
      programs.environment.DISPLAY, '-f', 'pulse', '-i', 'out.monitor', '-c:v', 'libx264', '-preset', 'ultrafast', '-crf', '28', '-pix_fmt', 'yuv420p',
      '-filter:v', 'fps=25', '-c:a', 'aac', file]);
    await pause(settle);
    used = await measure(seconds, { recorder: () => programs.pids(), server: server.pid });
  } finally {
    await programs.stop();
  }
  if (!existsSync(file))
    throw new Error(`the classic way recorded nothing: ${grabber.said}`);
  const { unique, frames } = await countUniqueFrames(file, settle, settle + seconds - 1);
  bench.note(`the classic way: ${unique} of ${frames} frames differ from the one before`);
  if (unique === 0)
    throw new Error(`the classic way recorded no moving picture, so what it took says nothing: ${grabber.said}`);
  return used;
}

export async function run(bench) {
  await install(bench);
  execFileSync('chromium', ['--version']);
  await withServer((server) => withPeople(server, 'bench', ['--publishers', n], async () => {
    await pause(settle);
    const { server: idle } = await measure(seconds, { server: server.pid });
    const ours = await recordOurs(server);
    await pause(1);
    const classic = await recordClassic(bench, server);
    const sum = (way, what) => way.recorder[what] + Math.max(0, way.server[what] - idle[what]);
    for (const [name, way] of Object.entries({ ours, classic }))
      bench.note(`${name}: ${way.recorder.cores.toFixed(3)} cores and ${way.recorder.pss.toFixed(0)} MB, and of the server ` +
        `${Math.max(0, way.server.cores - idle.cores).toFixed(3)} cores and ${Math.max(0, way.server.pss - idle.pss).toFixed(0)} MB more than before`);
    bench.row('composed.n4.classic_cpu_ratio', sum(classic, 'cores') / sum(ours, 'cores'), 'ratio', 2);
    bench.row('composed.n4.classic_pss_ratio', sum(classic, 'pss') / sum(ours, 'pss'), 'ratio', 2);
  }));
}
