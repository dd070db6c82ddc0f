// A participant without media and without a browser: OpenVidu's signalling over a bare WebSocket.
import { randomBytes } from 'node:crypto';
import tls from 'node:tls';

const open = new Set();
process.on('exit', () => open.forEach((guest) => guest.socket.destroy()));

/** One unfragmented text frame, masked as clients must. */
function frame(text) {
  const body = Buffer.from(text);
  const mask = randomBytes(4);
  const head = body.length < 126 ? Buffer.from([0x81, 0x80 | body.length])
    : Buffer.from([0x81, 0xfe, body.length >> 8, body.length & 255]);
  body.forEach((byte, i) => (body[i] = byte ^ mask[i % 4]));
  return Buffer.concat([head, mask, body]);
}

export class Guest {
  /** token: as the REST API gives it. */
  static async join(token) {
    const url = new URL(token);
    const guest = new Guest();
    guest.buffer = Buffer.alloc(0);
    guest.waiting = new Map();
    guest.events = [];
    guest.nextId = 0;
    guest.socket = tls.connect({ host: url.hostname, port: url.port, rejectUnauthorized: false });
    guest.closed = new Promise((resolve) => guest.socket.on('close', resolve));
    guest.socket.on('error', (error) => guest.fail(error));
    guest.socket.on('close', () => guest.fail(new Error('the server closed the connection')));
    open.add(guest);
    await guest.upgrade(`/openvidu?sessionId=${url.searchParams.get('sessionId')}`);
    guest.pings = setInterval(() => guest.call('ping').catch(() => {}), 4000).unref();
    await guest.call('ping', { interval: 5000 });
    const session = url.searchParams.get('sessionId');
    guest.joined = await guest.call('joinRoom', { token, session, metadata: '', secret: '', recorder: false, platform: 'node', sdkVersion: '2.32.2' });
    return guest;
  }

  upgrade(path) {
    this.socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n`
      + `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\n\r\n`);
    return new Promise((resolve, reject) => {
      this.waiting.set('upgrade', { resolve, reject });
      this.socket.on('data', (data) => this.take(data));
    });
  }

  fail(error) {
    this.failure = error;
    this.waiting.forEach(({ reject }) => reject(error));
    this.waiting.clear();
  }

  take(data) {
    this.buffer = Buffer.concat([this.buffer, data]);
    if (this.waiting.has('upgrade'))
      this.takeUpgrade();
    else
      this.takeFrames();
  }

  takeUpgrade() {
    const end = this.buffer.indexOf('\r\n\r\n');
    if (end < 0)
      return;
    const { resolve, reject } = this.waiting.get('upgrade');
    const head = this.buffer.subarray(0, end).toString();
    this.waiting.delete('upgrade');
    this.buffer = this.buffer.subarray(end + 4);
    if (!head.startsWith('HTTP/1.1 101'))
      reject(new Error(head.split('\r\n')[0]));
    else
      resolve();
    this.takeFrames();
  }

  takeFrames() {
    for (;;) {
      const { buffer } = this;
      const short = buffer.length >= 2 ? buffer[1] & 127 : 0;
      const start = short < 126 ? 2 : short === 126 ? 4 : 10;
      if (buffer.length < start)
        return;
      const length = short < 126 ? short : short === 126 ? buffer.readUInt16BE(2) : Number(buffer.readBigUInt64BE(2));
      if (buffer.length < start + length)
        return;
      this.buffer = buffer.subarray(start + length);
      if ((buffer[0] & 15) === 1)
        this.takeMessage(JSON.parse(buffer.subarray(start, start + length).toString()));
    }
  }

  takeMessage(message) {
    if (message.method) {
      this.events.push(message);
      return;
    }
    const waiting = this.waiting.get(message.id);
    this.waiting.delete(message.id);
    if (message.error)
      waiting?.reject(new Error(`${message.error.code}: ${message.error.message}`));
    else
      waiting?.resolve(message.result);
  }

  call(method, params) {
    const id = this.nextId++;
    return new Promise((resolve, reject) => {
      if (this.failure)
        reject(this.failure);
      this.waiting.set(id, { resolve, reject });
      this.socket.write(frame(JSON.stringify({ jsonrpc: '2.0', method, id, params })));
    });
  }

  async leave() {
    await this.call('leaveRoom').catch(() => {});
    this.drop();
    await this.closed;
  }

  /** As when the machine dies: without a word. */
  drop() {
    clearInterval(this.pings);
    this.socket.destroy();
    open.delete(this);
  }
}
