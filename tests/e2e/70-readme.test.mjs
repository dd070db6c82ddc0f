// The README's commands, run as they are printed; only the port is moved so that a server at work is not in the way.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { Browser, devices } from './lib/browser.mjs';
import * as media from './lib/media.mjs';
import { Rest } from './lib/rest.mjs';
import { freePort, root, secret, temporaryFolder } from './lib/server.mjs';
import { record, within } from './lib/wait.mjs';

const readme = readFileSync(path.join(root, 'README.md'), 'utf8');

/** Fenced blocks of a language under a heading: the text between the fences. */
function blocks(heading, language = 'sh') {
  const section = readme.split(/^## /m).find((part) => part.startsWith(heading));
  assert.ok(section, `README.md has no section "${heading}"`);
  return [...section.matchAll(new RegExp('^```' + language + '\\n([\\s\\S]*?)^```', 'gm'))].map(([, text]) => text);
}

const everyCommand = [...readme.matchAll(/^```sh\n([\s\S]*?)^```/gm)].map(([, text]) => text);
const ran = new Set();

// The README builds below build/, wherever the tests were built.
const { B: _, MAKEFLAGS: __, ...inherited } = process.env;

function start(script, port, environment = {}) {
  const moved = script.replaceAll(':4443', `:${port}`);
  const shell = spawn('sh', ['-e', '-c', moved], {
    cwd: root, detached: true, stdio: ['ignore', 'pipe', 'pipe'], env: { ...inherited, SERVER_PORT: String(port), ...environment },
  });
  const output = [];
  for (const stream of [shell.stdout, shell.stderr])
    stream.setEncoding('utf8').on('data', (text) => output.push(text));
  const kill = () => {
    try {
      process.kill(-shell.pid, 'SIGTERM');
    } catch {
      // all of it has ended
    }
  };
  process.on('exit', kill);
  ran.add(script);
  return { shell, kill, output: () => output.join(''), ended: once(shell, 'exit') };
}

async function run(script, port, environment) {
  const { shell, kill, output, ended } = start(script, port, environment);
  await ended;
  kill();
  assert.equal(shell.exitCode, 0, `${script}\n${output()}`);
  return output();
}

test('make demo records a real session', { timeout: 300000 }, async () => {
  const [commands] = blocks('Two commands');
  assert.match(commands, /^make demo\b/m);
  assert.match(commands, /^make check\b/m);
  ran.add(commands);
  const output = await run(commands.replace(/^make check.*\n/m, ''), await freePort());
  const recording = /^recording: (.+)$/m.exec(output)[1];
  const sheet = /^contact sheet: (.+)$/m.exec(output)[1];
  assert.equal((await media.probe(recording)).video.width, 1280);
  assert.deepEqual([...readFileSync(sheet).subarray(1, 4)], [...Buffer.from('PNG')]);
});

test('five minutes lead to a first recording', { timeout: 120000 }, async () => {
  const port = await freePort();
  const [serve, page, enter, begin, end] = blocks('Record your own session');
  const environment = { OPENVIDU_RECORDING_PATH: temporaryFolder('readme') };
  const server = start(serve, port, environment);
  const browser = await Browser.launch();
  try {
    const rest = new Rest(`https://127.0.0.1:${port}`, secret);
    await within(60, 'the server listens', () => rest.get('/accept-certificate').then(({ status }) => status === 200, () => false));
    await run(page, port);
    const address = /file:\S+/.exec(await run(enter, port))[0];
    const { page: window } = await browser.open();
    await window.addInitScript(devices);
    await window.goto(address);
    await window.getByText('publishing').waitFor({ timeout: 20000 });

    const [prepare] = enter.split('\n');
    await run(`${prepare}\n${begin}`, port);
    await record(2);
    await run(`${prepare}\n${end}`, port);
    const file = path.join(root, /-o (\S+\.mp4)/.exec(end)[1]);
    const found = await media.probe(file);
    assert.ok(found.duration > 1.5 && found.video && found.audio, JSON.stringify(found));
    assert.equal(await media.decodeComplaints(file), '');
    assert.ok('red' in media.tiles(await media.frameAt(file, 1)));
    [begin, end].forEach((commands) => ran.add(commands));

    const [load] = blocks('How much can my machine carry');
    assert.match(await run(load, port), /^participants\.joined 4 times\nparticipants\.failed 0 times\n[^]*^streams\.watched 12 streams$/m);

    const [permit] = blocks('What browsers record themselves');
    assert.match(await run(`${prepare}\n${permit}`, port), /"url":"https:[^"]+\/uploads\?token=upl_\w+"/);
    ran.add(permit);
  } finally {
    await browser.close();
    server.kill();
    await server.ended;
  }
});

for (const heading of ['Configuration', 'Write a layout plugin']) {
  test(`the commands under "${heading}" work`, { timeout: 120000 }, async () => {
    const port = await freePort();
    for (const commands of blocks(heading))
      await run(commands, port);
  });
}

test('no command of the README was left out', () => {
  assert.deepEqual(everyCommand.filter((commands) => !ran.has(commands)), []);
});
