// Runs the load tool: participants without a browser.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { build, secret as usual } from './server.mjs';

const running = new Set();
process.on('exit', () => running.forEach((child) => child.kill('SIGKILL')));

export class Load {
  /** words: further options of the tool; recto-load --help lists them. */
  constructor(server, { session = 'load', words = [], secret = usual } = {}) {
    this.said = '';
    this.printed = '';
    this.child = spawn(path.join(build, 'recto-load'), ['--url', server.url, '--session', session, ...words.map(String)],
      { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, OPENVIDU_SECRET: secret } });
    running.add(this.child);
    this.exited = once(this.child, 'close').then(([code, signal]) => {
      running.delete(this.child);
      return { code, signal };
    });
    this.child.stdout.setEncoding('utf8').on('data', (text) => (this.printed += text));
    this.isReady = new Promise((resolve) => {
      this.child.stderr.setEncoding('utf8').on('data', (text) => {
        this.said += text;
        if (this.said.includes('ready: '))
          resolve(true);
      });
    });
  }

  get pid() {
    return this.child.pid;
  }

  /** When everybody is in; fails when the tool ends before. */
  async ready() {
    if (!(await Promise.race([this.isReady, this.exited.then(() => false)])))
      throw new Error(`the load tool ended too early: ${this.said}`);
    return this;
  }

  /** How it ended, what it said, and its report: { code, said, rows: { name: value } } */
  async ended() {
    const { code, signal } = await this.exited;
    const rows = this.printed.split('\n').filter(Boolean).map((line) => line.split(' '));
    return { code, signal, said: this.said, rows: Object.fromEntries(rows.map(([name, value]) => [name, Number(value)])) };
  }

  /** Everybody leaves. */
  stop() {
    this.child.kill('SIGINT');
    return this.ended();
  }
}
