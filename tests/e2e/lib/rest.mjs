// A REST client that shows everything: status, headers, body and how long the answer took.
import https from 'node:https';

const agent = new https.Agent({ rejectUnauthorized: false, keepAlive: false });

export class Rest {
  constructor(url, secret) {
    this.url = url;
    this.secret = secret;
  }

  basic(secret = this.secret) {
    return `Basic ${Buffer.from(`OPENVIDUAPP:${secret}`).toString('base64')}`;
  }

  /** body: an object is sent as JSON, a string or Buffer as it is. auth: null sends none. The path is sent as it is. */
  request(method, path, body, { auth = this.secret, headers = {} } = {}) {
    const content = body === undefined || typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body);
    const all = { ...headers };
    if (auth !== null)
      all.authorization = this.basic(auth);
    if (content !== undefined) {
      all['content-type'] ??= 'application/json';
      all['content-length'] = Buffer.byteLength(content);
    }
    const { hostname, port } = new URL(this.url);
    const started = performance.now();
    return new Promise((resolve, reject) => {
      const request = https.request({ method, hostname, port, path, headers: all, agent, timeout: 90000 }, (response) => {
        const parts = [];
        response.on('data', (part) => parts.push(part));
        response.on('error', reject);
        response.on('end', () => {
          const bytes = Buffer.concat(parts);
          resolve(new Answer(response.statusCode, response.headers, bytes, performance.now() - started));
        });
      });
      request.on('timeout', () => request.destroy(new Error(`${method} ${path}: no answer in 90 s`)));
      request.on('error', reject);
      request.end(content);
    });
  }

  get(path, options) {
    return this.request('GET', path, undefined, options);
  }

  post(path, body, options) {
    return this.request('POST', path, body, options);
  }

  delete(path, options) {
    return this.request('DELETE', path, undefined, options);
  }
}

class Answer {
  constructor(status, headers, bytes, ms) {
    Object.assign(this, { status, headers, bytes, ms });
  }

  get text() {
    return this.bytes.toString('utf8');
  }

  get json() {
    return JSON.parse(this.text);
  }

  /** The answer itself when the status is as expected; else an error that shows the body. */
  expect(status) {
    if (this.status !== status)
      throw new Error(`expected status ${status}, got ${this.status}: ${this.text.slice(0, 500)}`);
    return this;
  }
}
