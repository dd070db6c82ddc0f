// A participant without a browser: JSON-RPC on a WebSocket, no media.
import { randomBytes } from 'node:crypto';
import https from 'node:https';

const agent = new https.Agent({ rejectUnauthorized: false, keepAlive: false });

function frame(opcode, text) {
  const body = Buffer.from(text);
  const head = body.length < 126 ? Buffer.from([0x80 | opcode, 0x80 | body.length])
    : Buffer.from([0x80 | opcode, 0x80 | 126, body.length >> 8, body.length & 255]);
  const mask = randomBytes(4);
  return Buffer.concat([head, mask, body.map((byte, i) => byte ^ mask[i % 4])]);
}

export class Rpc {
  /** token: as REST gave it. */
  static async join(server, token, { data = '' } = {}) {
    const rpc = Object.assign(new Rpc(), { waiting: new Map(), last: 0, rest: Buffer.alloc(0) });
    const url = new URL(token.replace(/^wss/, 'https'));
    const headers = { connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': 13, 'sec-websocket-key': randomBytes(16).toString('base64') };
    rpc.socket = await new Promise((resolve, reject) => {
      https.get({ agent, hostname: '127.0.0.1', port: server.port, path: `/openvidu${url.search}`, headers })
        .on('upgrade', (_, socket) => resolve(socket)).on('response', ({ statusCode }) => reject(new Error(`no WebSocket: ${statusCode}`))).on('error', reject);
    });
    rpc.socket.on('data', (bytes) => rpc.take(bytes)).on('error', () => {}).on('close', () => rpc.fail('the WebSocket is closed'));
    rpc.closed = new Promise((resolve) => rpc.socket.on('close', resolve));
    const joined = await rpc.call('joinRoom', {
      token, session: url.searchParams.get('sessionId'), metadata: data, platform: 'Node', secret: '', recorder: false, sdkVersion: '2.32.2',
    });
    rpc.id = joined.id;
    return rpc;
  }

  call(method, params = {}) {
    const id = ++this.last;
    this.socket.write(frame(1, JSON.stringify({ jsonrpc: '2.0', id, method, params })));
    return new Promise((resolve, reject) => this.waiting.set(id, { resolve, reject }));
  }

  take(bytes) {
    this.rest = Buffer.concat([this.rest, bytes]);
    while (this.rest.length >= 2) {
      const [first, short] = this.rest;
      const head = short === 126 ? 4 : short === 127 ? 10 : 2;
      if (this.rest.length < head)
        return;
      const size = short === 126 ? this.rest.readUInt16BE(2) : short === 127 ? Number(this.rest.readBigUInt64BE(2)) : short;
      if (this.rest.length < head + size)
        return;
      const body = this.rest.subarray(head, head + size);
      this.rest = this.rest.subarray(head + size);
      if ((first & 15) === 1)
        this.answer(JSON.parse(body.toString()));
      else if ((first & 15) === 9)
        this.socket.write(frame(10, body));
    }
  }

  answer({ id, result, error }) {
    const waiting = this.waiting.get(id);
    this.waiting.delete(id);
    if (error)
      waiting?.reject(new Error(JSON.stringify(error)));
    else
      waiting?.resolve(result);
  }

  fail(why) {
    this.waiting.forEach(({ reject }) => reject(new Error(why)));
    this.waiting.clear();
  }

  async leave() {
    await this.call('leaveRoom').catch(() => {});
    this.socket.destroy();
    await this.closed;
  }
}
