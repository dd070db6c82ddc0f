// Headless Chromium with one window per participant, each running an unmodified openvidu-browser.
import { createServer } from 'node:http';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { chromium } from 'playwright-core';
import { palette } from './palette.mjs';
import { root } from './server.mjs';
import { within } from './wait.mjs';

const flags = [
  '--headless=new', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync',
  '--autoplay-policy=no-user-gesture-required', '--ignore-certificate-errors',
  '--disable-background-timer-throttling', '--disable-renderer-backgrounding',
  '--disable-backgrounding-occluded-windows', '--allow-loopback-in-peer-connection',
];

export const clients = { '2.0.0': 'old', '2.1.0': 'old', '2.32.2': 'new' };
const newest = '2.32.2';

function executable() {
  const found = [process.env.CHROMIUM, '/usr/bin/chromium'].find((file) => file && existsSync(file));
  if (!found)
    throw new Error('no Chromium: install the package chromium, or name one in CHROMIUM');
  return found;
}

const libraryFile = (version) =>
  path.join(root, `node_modules/openvidu-browser-${version}/static/js/openvidu-browser-${version}.min.js`);

// 2.0 and 2.1 reach the screen through a Chrome extension that sits behind this page; this is all it says.
const screenExtension = `<script>addEventListener('message', (e) => {
  if (e.data.captureSourceId) parent.postMessage({ chromeMediaSourceId: 'screen:0:0' }, '*');
  if (e.data.getChromeExtensionStatus) parent.postMessage({ chromeExtensionStatus: 'installed-enabled' }, '*');
})</script>`;

/** The script that gives a page synthetic cameras and microphones, and window.recto. */
export const devices = `const palette = ${JSON.stringify(palette)};
${readFileSync(new URL('page.js', import.meta.url), 'utf8')}`;

async function servePages() {
  const server = createServer((request, response) => {
    const version = /^\/client\/([\d.]+)$/.exec(request.url)?.[1];
    if (!version)
      return response.writeHead(404).end();
    response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' });
    response.end(
      `<!doctype html><title>participant</title><body><div id="local"></div><div id="remotes"></div>
       <script>${readFileSync(libraryFile(version), 'utf8').replaceAll('</script', '<\\/script')}</script>
       <script>${devices}</script>`);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

export class Browser {
  static async launch() {
    const browser = new Browser();
    browser.server = await chromium.launchServer({ executablePath: executable(), headless: true, args: flags });
    browser.chromium = await chromium.connect(browser.server.wsEndpoint());
    browser.pages = await servePages();
    browser.participants = [];
    return browser;
  }

  get pid() {
    return this.server.process().pid;
  }

  /** A window of its own with a synthetic camera: colour, tone, picture, width, height, frameRate as in page.js. */
  async open({ version = newest, name = '', ...camera } = {}) {
    const asDesktop = { userAgent: (await this.userAgent()).replace('HeadlessChrome', 'Chrome') };
    const context = await this.chromium.newContext({ ignoreHTTPSErrors: true, ...asDesktop });
    await context.route('https://www.webrtc-experiment.com/getSourceId/', (route) =>
      route.fulfill({ contentType: 'text/html', body: screenExtension }));
    const page = await context.newPage();
    const participant = new Participant({ page, context, version, name, camera });
    this.participants.push(participant);
    await page.goto(`http://localhost:${this.pages.address().port}/client/${version}`);
    await page.evaluate((given) => Object.assign(recto.settings, given), camera);
    return participant;
  }

  async userAgent() {
    if (!this.agent) {
      const page = await this.chromium.newPage();
      this.agent = await page.evaluate(() => navigator.userAgent);
      await page.close();
    }
    return this.agent;
  }

  async closeAll() {
    await Promise.all(this.participants.splice(0).map((p) => p.context.close().catch(() => {})));
  }

  async close() {
    await this.chromium.close().catch(() => {});
    await this.server.close().catch(() => {});
    this.pages.closeAllConnections();
    this.pages.close();
  }

  /** kill -9, as the kernel would when memory is short. */
  async kill() {
    await this.server.kill();
  }
}

export class Participant {
  constructor(fields) {
    Object.assign(this, fields);
    this.frames = [];
    this.console = [];
    this.page.on('websocket', (socket) => {
      const keep = (direction) => (frame) => this.frames.push(`${direction} ${frame.payload}`);
      socket.on('framesent', keep('>'));
      socket.on('framereceived', keep('<'));
      socket.on('close', () => this.frames.push('socket closed'));
    });
    this.page.on('console', (message) => {
      if (message.type() !== 'debug')
        this.console.push(`${message.type()}: ${message.text()}`);
    });
    this.page.on('pageerror', (error) => this.console.push(`uncaught: ${error.message}`));
  }

  call(method, ...args) {
    return this.page.evaluate(async ([name, given]) => {
      try {
        return await recto[name](...given);
      } catch (error) {
        throw new Error(`${name}: ${error.name ?? error.code}: ${error.message ?? JSON.stringify(error)}`);
      }
    }, [method, args]);
  }

  async join(token, options = {}) {
    this.connectionId = await this.call('join', token, { data: this.name, ...options });
    return this;
  }

  async publish(options = {}) {
    this.streamId = await this.call('publish', options);
    return this;
  }

  events(type) {
    return this.page.evaluate((wanted) => recto.events.filter((e) => !wanted || e.type === wanted), type);
  }

  waitForEvent(type, matches = () => true, seconds = 10) {
    return within(seconds, `${this.label} is told ${type}`, async () => (await this.events(type)).find(matches));
  }

  get label() {
    return `${this.name || 'participant'} (${this.version})`;
  }

  /** Waits until this participant sees the other's colour, and answers what was seen. */
  sees(other, colour, seconds = 15) {
    return within(seconds, `${this.label} sees ${other.label}`, async () => {
      const seen = await this.call('observe', other.connectionId);
      return seen?.pixel && distance(seen.pixel, palette[colour]) < 60 && seen;
    });
  }

  /** Waits until this participant hears the other's tone, and nothing louder. */
  hears(other, hertz, seconds = 15) {
    return within(seconds, `${this.label} hears ${other.label}`, async () => {
      const seen = await this.call('observe', other.connectionId);
      return seen?.decibel > -60 && Math.abs(seen.hertz - hertz) < 20 && seen;
    });
  }

  report(lines = 20) {
    const short = (line) => (line.length > 300 ? `${line.slice(0, 300)}…` : line);
    const telling = this.frames.filter((line) => !/"ping"|"pong"|onIceCandidate|iceCandidate|"result":\{("sessionId":"\w+")?\}/.test(line));
    return [`--- ${this.label}: last messages`, ...telling.slice(-lines).map(short),
      `--- ${this.label}: console`, ...this.console.slice(-lines).map(short)].join('\n');
  }
}

export const distance = (a, b) => Math.hypot(...a.map((value, i) => value - b[i]));
