// An HTTP server that gets webhook requests, and takes, refuses or ignores them.
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import http from 'node:http';
import { freePort } from './server.mjs';

export class Receiver {
  static async start({ key = '' } = {}) {
    const receiver = Object.assign(new Receiver(), { key, requests: [], taken: [], answer: () => 200 });
    receiver.port = await freePort();
    receiver.url = `http://127.0.0.1:${receiver.port}/hook`;
    await receiver.open();
    return receiver;
  }

  async open() {
    this.server = http.createServer((request, response) => {
      const parts = [];
      request.on('error', () => {}).on('data', (part) => parts.push(part)).on('end', () => {
        const text = Buffer.concat(parts).toString();
        const signature = `sha256=${createHmac('sha256', this.key).update(text).digest('hex')}`;
        const got = { headers: request.headers, body: JSON.parse(text), isSigned: request.headers['x-recto-signature'] === signature, at: Date.now() };
        this.requests.push(got);
        const status = this.answer(got);
        if (!status)
          return; // hangs
        // On a busy machine an answer may come too late, and the event a second time.
        const number = request.headers['x-recto-delivery'];
        if (status === 200 && !this.taken.some(({ headers }) => headers['x-recto-delivery'] === number))
          this.taken.push(got);
        response.writeHead(status).end('noted');
      });
    }).listen(this.port, '127.0.0.1');
    await once(this.server, 'listening');
  }

  /** Nobody listens any more. */
  async close() {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }

  get names() {
    return this.taken.map(({ body }) => body.event);
  }
}
