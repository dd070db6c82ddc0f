// A page recording under what conf/recto.service.in forbids: another user, few capabilities, no new privileges, fewer system calls.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, chownSync, cpSync, mkdirSync, readFileSync, readdirSync, readlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { Browser } from './lib/browser.mjs';
import * as media from './lib/media.mjs';
import { Server, build, childrenOf, root, temporaryFolder } from './lib/server.mjs';
import { record, within } from './lib/wait.mjs';

const unit = readFileSync(path.join(root, 'conf/recto.service.in'), 'utf8');
const isRoot = process.getuid() === 0;
const nobody = 65534;
const folder = temporaryFolder('unit');

/** The calls of a group of systemd's, as systemd itself expands it. */
function expand(group) {
  const result = spawnSync('systemd-analyze', ['syscall-filter', group], { encoding: 'utf8' });
  if (result.status !== 0)
    return null;
  const names = result.stdout.split('\n').slice(1).map((line) => line.trim()).filter((line) => /^@?[a-z]\w*/.test(line));
  return names.flatMap((name) => (name.startsWith('@') ? expand(name) : name));
}

function callNumbers() {
  const text = execFileSync('cc', ['-dM', '-E', '-include', 'sys/syscall.h', '-x', 'c', '/dev/null'], { encoding: 'utf8' });
  return new Map([...text.matchAll(/^#define __NR_(\w+) (\d+)$/gm)].map(([, name, number]) => [name, number]));
}

/** A file with the numbers of what the unit allows, or "-" where no systemd is there to say what its groups mean. */
function writeFilter(t) {
  const words = /^SystemCallFilter=(.*)$/m.exec(unit)[1].split(' ');
  const names = words.flatMap((word) => (word.startsWith('@') ? expand(word) : word));
  if (names.includes(null)) {
    t.diagnostic('without systemd-analyze the filter of system calls is not tried');
    return '-';
  }
  const numbers = callNumbers();
  const allowed = names.map((name) => numbers.get(name)).filter(Boolean);
  assert.ok(allowed.length > 250, `only ${allowed.length} system calls`);
  const file = path.join(folder, 'calls');
  writeFileSync(file, `${allowed.join('\n')}\n`);
  return file;
}

function giveAway(top) {
  chownSync(top, nobody, nobody);
  for (const name of readdirSync(top, { recursive: true }))
    chownSync(path.join(top, name), nobody, nobody);
}

test('is a unit that systemd understands, and finds well shut', (t) => {
  const file = path.join(folder, 'recto.service');
  writeFileSync(file, unit.replaceAll('@PREFIX@/bin/recto', path.join(build, 'recto')).replaceAll('@SYSCONFDIR@', '/etc'));
  assert.match(unit, /^Delegate=cpu memory$/m);
  const analyze = (...words) => spawnSync('systemd-analyze', [...words, file], { encoding: 'utf8' });
  const verified = analyze('verify');
  if (verified.error?.code === 'ENOENT') {
    t.diagnostic('there is no systemd-analyze');
    return;
  }
  assert.deepEqual([verified.stderr, verified.status], ['', 0]);
  const exposed = analyze('security', '--offline=true', '--no-pager', '--threshold=35'); // of 100
  assert.equal(exposed.status, 0, exposed.stdout + exposed.stderr);
});

test('works under the limits of the systemd unit, in the browser\'s own sandbox', { timeout: 120000 }, async (t) => {
  for (const line of ['NoNewPrivileges=yes', 'CapabilityBoundingSet=CAP_NET_BIND_SERVICE', 'AmbientCapabilities=CAP_NET_BIND_SERVICE'])
    assert.ok(unit.includes(`\n${line}\n`), `the unit has ${line}`);
  assert.ok(!/^(RestrictNamespaces|MemoryDenyWriteExecute)=/m.test(unit), 'the browser needs namespaces, and compiles scripts');
  const confine = path.join(folder, 'confine');
  execFileSync('cc', ['-o', confine, path.join(root, 'tests/tools/confine.c')]);
  chmodSync(confine, 0o755);

  // What another user may not be able to read where it lies.
  const work = path.join(folder, 'work');
  for (const name of ['recto', 'plugins', 'openvidu-browser'])
    cpSync(path.join(build, name), path.join(work, name), { recursive: true });
  cpSync(path.join(root, 'conf'), path.join(work, 'conf'), { recursive: true });
  cpSync(path.join(root, 'layouts/custom'), path.join(work, 'layouts'), { recursive: true });
  for (const name of ['state', 'recordings'])
    mkdirSync(path.join(work, name));
  chmodSync(folder, 0o755);
  if (isRoot)
    giveAway(work);
  const filter = writeFilter(t);
  let server;
  let browser;
  try {
    server = await Server.start({
      name: 'unit', folder: work, wrapper: [confine, isRoot ? String(nobody) : '-', filter],
      program: path.join(work, 'recto'), config: path.join(work, 'conf/dev.ini'),
      settings: { 'openvidu.recording.custom-layout': path.join(work, 'layouts'), 'browser.check-timeout-ms': 60000 },
    });
    browser = await Browser.launch();
    const session = (await server.rest.post('/openvidu/api/sessions', {})).expect(200).json.id;
    const { token } = (await server.rest.post(`/openvidu/api/sessions/${session}/connection`, {})).expect(200).json;
    const anna = await browser.open({ name: 'anna', colour: 'red', tone: 500, width: 160, height: 120 });
    await anna.join(token);
    await anna.publish();
    const started = (await server.rest.post('/openvidu/api/recordings/start',
      { session, recordingLayout: 'CUSTOM', resolution: '640x360', frameRate: 10 })).expect(200).json;
    assert.deepEqual(started.notes ?? [], []);
    await record(3);
    const renderers = renderersBelow(server.pid);
    assert.ok(renderers.length > 0, 'the page has a process');
    for (const pid of renderers) {
      assert.notEqual(readlinkSync(`/proc/${pid}/ns/user`), readlinkSync(`/proc/${server.pid}/ns/user`), 'the page has namespaces of its own');
      assert.ok(filtersOf(pid) > filtersOf(server.pid), 'the page has a filter of its own');
    }
    assert.doesNotMatch(server.log(), /browser cannot be used/);
    // What is admitted beside it depends on what it takes: its browser counts, though much of that is another program's.
    await within(20, 'its browser counts as its own', async () => {
      const { text } = (await server.rest.get('/metrics')).expect(200);
      return Number(/^recto_recording_memory_bytes\{.*\} (\S+)$/m.exec(text)?.[1]) > 200e6;
    });
    const stopped = (await server.rest.post(`/openvidu/api/recordings/stop/${started.id}`)).expect(200).json;
    const film = path.join(server.recordings, stopped.id, `${stopped.name}.mp4`);
    const { red } = media.tiles(await media.frameAt(film, stopped.duration - 1));
    assert.deepEqual([red?.width, red?.height], [160, 120]);
    assert.deepEqual(media.heard(await media.sound(film), [500, 700], stopped.duration - 2, stopped.duration - 1), [500]);
  } catch (error) {
    console.log(server?.log());
    throw error;
  } finally {
    await browser?.close();
    await server?.stop();
  }
});

function filtersOf(pid) {
  return Number(/^Seccomp_filters:\t(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]);
}

function renderersBelow(pid) {
  return childrenOf(pid).flatMap(({ pid: child, arguments: words }) =>
    [...(words.some((word) => word.includes('--type=renderer')) ? [child] : []), ...renderersBelow(child)]);
}
