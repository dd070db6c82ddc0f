// What a test file shares: one server, one browser, and a full report when something goes wrong.
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { Browser, clients } from './browser.mjs';
import { Server, isRunning } from './server.mjs';
import { within } from './wait.mjs';

export class Stage {
  /** settings: as with -D. browser: false when no participant is needed. config: an ini file of its own.
   * environment: of the server, added to ours. */
  constructor({ name, settings, browser = true, config, environment }) {
    this.starts = new Map();
    before(async () => {
      this.server = await Server.start({ name, settings, config, environment });
      if (browser)
        this.browser = await Browser.launch();
    });
    afterEach(() => this.browser?.closeAll());
    after(async () => {
      await this.browser?.close();
      if (!this.server)
        return;
      const workers = this.server.workers();
      const end = await this.server.stop();
      assert.deepEqual(end, { code: 0, signal: null }, `the server ended badly\n${this.server.log()}`);
      await within(20, 'all workers are gone', () => !workers.some(({ pid }) => isRunning(pid)));
    });
  }

  get rest() {
    return this.server.rest;
  }

  test(name, run, { seconds = 60 } = {}) {
    test(name, { timeout: seconds * 1000 }, async (t) => {
      try {
        await run(t);
      } catch (error) {
        console.log(`--- server log\n${this.server.log().split('\n').slice(-80).join('\n')}`);
        this.browser?.participants.forEach((participant) => console.log(participant.report()));
        throw error;
      }
    });
  }

  async session(body = {}) {
    return (await this.rest.post('/openvidu/api/sessions', body)).expect(200).json.id;
  }

  /** A token from the API of the version's own time. */
  async token(session, { version = '2.32.2', role = 'PUBLISHER' } = {}) {
    if (clients[version] === 'old')
      return (await this.rest.post('/api/tokens', { session, role })).expect(200).json.id;
    return (await this.rest.post(`/openvidu/api/sessions/${session}/connection`, { role })).expect(200).json.token;
  }

  /** Opens a window that joins, and publishes unless publish is false. */
  async enter(session, { version, role, publish = {}, subscribe, ...camera } = {}) {
    const participant = await this.browser.open({ version, ...camera });
    await participant.join(await this.token(session, { version, role }), { subscribe });
    if (publish)
      await participant.publish(publish);
    return participant;
  }

  async startRecording(session, properties = {}) {
    const requestedAt = Date.now();
    const answer = await this.rest.post('/openvidu/api/recordings/start', { session, ...properties });
    this.starts.set(answer.expect(200).json.id, { requestedAt, answeredAt: Date.now() });
    return Object.assign(answer.json, { answerMs: answer.ms });
  }

  /** How long a recording that ends now can be, in seconds: [from, to]. It begins between request and answer. */
  lengthOf(id, now = Date.now()) {
    const { requestedAt, answeredAt } = this.starts.get(id);
    return [(now - answeredAt) / 1000, (now - requestedAt) / 1000];
  }

  /** The stopped recording with the length it can have, and fileTime, which maps Date.now() to seconds of the file:
   * files end when stop is asked for. */
  async stopRecording(id) {
    const askedAt = Date.now();
    const answer = await this.rest.post(`/openvidu/api/recordings/stop/${id}`);
    const recording = answer.expect(200).json;
    return Object.assign(recording, {
      answerMs: answer.ms,
      length: this.lengthOf(id, askedAt),
      fileTime: (moment) => recording.duration - (askedAt - moment) / 1000,
    });
  }
}

/** Fails unless a duration is within [from, to], give or take. */
export function lasts(duration, [from, to], less = 0.3, more = 0.3) {
  assert.ok(duration >= from - less && duration <= to + more, `${duration} s instead of ${from} to ${to} s (-${less}, +${more})`);
}
