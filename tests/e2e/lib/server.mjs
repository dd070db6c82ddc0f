// Starts the real server on a free port with folders of its own, and makes sure that it is gone afterwards.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Rest } from './rest.mjs';
import { within } from './wait.mjs';

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../..');
export const build = path.resolve(root, process.env.B ?? 'build');
export const secret = 'MY_SECRET';

const running = new Set();
process.on('exit', () => running.forEach((child) => child.kill('SIGKILL')));

export async function freePort() {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address();
  probe.close();
  await once(probe, 'close');
  return port;
}

export function temporaryFolder(name) {
  const folder = mkdtempSync(path.join(tmpdir(), `recto-${name}-`));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** The children of a process, from /proc: [{ pid, arguments }] */
export function childrenOf(pid) {
  const children = [];
  for (const entry of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const stat = readFileSync(`/proc/${entry}/stat`, 'utf8');
      const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      if (Number(parent) === pid && state !== 'Z')
        children.push({ pid: Number(entry), arguments: readFileSync(`/proc/${entry}/cmdline`, 'utf8').split('\0') });
    } catch {
      // gone between the listing and the look
    }
  }
  return children;
}

export function withDescendants(pid) {
  return [pid, ...childrenOf(pid).flatMap((child) => withDescendants(child.pid))];
}

/** Whether a process still runs; one that only waits to be noticed by its parent does not. */
export function isRunning(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat[stat.lastIndexOf(')') + 2] !== 'Z';
  } catch {
    return false;
  }
}

export class Server {
  /** wrapper: a command that runs the program given to it in its own place. */
  static async start({ name = 'server', settings = {}, port, folder, environment = {}, wrapper = [],
    program = path.join(build, 'recto'), config = path.join(root, 'conf/dev.ini') } = {}) {
    const server = new Server();
    server.port = port ?? (await freePort());
    server.folder = folder ?? temporaryFolder(name);
    server.recordings = path.join(server.folder, 'recordings');
    server.settings = {
      'server.port': server.port,
      'openvidu.recording': true,
      'openvidu.recording.path': server.recordings,
      'server.state-directory': path.join(server.folder, 'state'),
      'media.local-addresses': '127.0.0.1',
      'browser.check-timeout-ms': 0, // a browser more per server would slow the test down
      ...settings,
    };
    server.environment = environment;
    server.config = config;
    server.wrapper = wrapper;
    server.program = program;
    await server.launch();
    return server;
  }

  async launch() {
    const { program } = this;
    if (!existsSync(program))
      throw new Error(`${program} does not exist: run make first`);
    const args = ['--config', this.config];
    for (const [key, value] of Object.entries(this.settings))
      args.push('-D', `${key}=${value}`);

    this.lines = [];
    const [command, ...words] = [...this.wrapper, program, ...args];
    this.child = spawn(command, words, {
      cwd: root, stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...this.environment },
    });
    this.exited = once(this.child, 'exit').then(([code, signal]) => ({ code, signal }));
    running.add(this.child);
    this.exited.finally(() => running.delete(this.child));
    for (const stream of [this.child.stdout, this.child.stderr])
      stream.setEncoding('utf8').on('data', (text) => this.lines.push(text));

    this.url = `https://127.0.0.1:${this.port}`;
    this.rest = new Rest(this.url, secret);
    try {
      await within(15, 'the server answers', () => this.answers());
    } catch (error) {
      this.child.kill('SIGKILL');
      throw new Error(`${error.message}\n${this.log()}`);
    }
  }

  async answers() {
    if (this.child.exitCode !== null || this.child.signalCode !== null)
      throw new Error(`the server ended at once (${this.child.exitCode ?? this.child.signalCode})\n${this.log()}`);
    const answer = await this.rest.request('GET', '/accept-certificate', undefined, { auth: null }).catch(() => null);
    return answer?.status === 200;
  }

  get pid() {
    return this.child.pid;
  }

  log() {
    return this.lines.join('');
  }

  workers() {
    return childrenOf(this.pid).filter((child) => child.arguments.some((a) => a === '--worker'));
  }

  /** The worker that has files of this recording open. */
  workerOf(id) {
    return this.workers().find(({ pid }) => {
      try {
        return readdirSync(`/proc/${pid}/fd`).some((fd) => existsSync(`/proc/${pid}/fd/${fd}`) && readlinkSync(`/proc/${pid}/fd/${fd}`).includes(`/${id}/`));
      } catch {
        return false; // gone between the listing and the look
      }
    });
  }

  /** Ends the server and answers how it ended; a server that doesn't go in time is an error. */
  async stop(signal = 'SIGTERM') {
    if (this.child.exitCode === null && this.child.signalCode === null)
      this.child.kill(signal);
    let timer;
    const late = new Promise((resolve) => (timer = setTimeout(resolve, 15000, null)));
    const end = await Promise.race([this.exited, late]);
    clearTimeout(timer);
    if (end)
      return end;
    this.child.kill('SIGKILL');
    throw new Error(`the server was still there 15 s after ${signal}\n${this.log()}`);
  }
}
