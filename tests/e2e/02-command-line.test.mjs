// What an operator sees of the settings: start-up errors, --check-config, --print-config, where a setting may stand.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { build, root, Server, temporaryFolder } from './lib/server.mjs';

const folder = temporaryFolder('command-line');
const program = path.join(build, 'recto');

function recto(words, environment = {}) {
  return spawnSync(program, words, { cwd: folder, env: { PATH: process.env.PATH, ...environment }, encoding: 'utf8' });
}

function writeIni(text) {
  const file = path.join(folder, 'recto.ini');
  writeFileSync(file, text);
  return file;
}

function printed(result, name) {
  assert.equal(result.status, 0, result.stderr);
  return new RegExp(`^${name} = ?(.*)$`, 'm').exec(result.stdout)?.[1];
}

test('a start-up error names file, line, section, key, what was found and what was expected', () => {
  const file = writeIni('[server]\nport = 70000\n');
  const result = recto(['--config', file]);
  assert.equal(result.status, 1);
  assert.equal(
    result.stderr,
    `recto: ${file}:2: [server] port: '70000': expected a whole number from 0 to 65535\n`,
  );
  assert.equal(result.stdout, '');
});

for (const [name, text, expected] of [
  ['an unknown key', '[server]\nprot = 1\n', /:2: \[server\] prot: there is no such key/],
  ['an unknown section', '[sever]\nport = 1\n', /:2: \[sever\] port: there is no such section/],
  ['a key that stands there twice', '[server]\nport = 1\nport = 2\n', /:3: \[server\] port is there twice/],
  ['an over-long line', `[openvidu]\nrecording.path = /${'x'.repeat(200)}\n`, /:2: the line has 218 bytes/],
  ['an open address with the documented secret', '[server]\naddress = 0.0.0.0\n', /MY_SECRET/],
  ['a webhook without endpoint', '[openvidu]\nwebhook = true\n', /openvidu\.webhook\.endpoint: expected an http/],
  ['an event that there is not', '[openvidu]\nwebhook = true\nwebhook.endpoint = http://h/\nwebhook.events = x\n', /openvidu\.webhook\.events: expected sessionCreated, /],
  ['a topic without level', '[log]\ntopics = rec.media\n', /log topic 'rec.media'/],
])
  test(`${name} is refused, by --check-config too`, () => {
    const file = writeIni(text);
    for (const words of [[], ['--check-config'], ['--print-config']]) {
      const result = recto(['--config', file, ...words]);
      assert.equal(result.status, 1);
      assert.match(result.stderr, expected);
    }
  });

test('an unreadable file is refused by name', () => {
  const result = recto(['--config', path.join(folder, 'nowhere.ini')]);
  assert.equal(result.status, 1);
  assert.match(result.stderr, /nowhere\.ini/);
});

test('the sample files pass --check-config', () => {
  for (const name of ['recto.ini', 'dev.ini']) {
    const result = recto(['--config', path.join(root, 'conf', name), '--check-config']);
    assert.equal(result.stderr, '');
    assert.equal(result.status, 0);
  }
});

test('default, file, environment, -D: the later one wins', () => {
  const file = writeIni('[openvidu]\nrecording.path = /from/file\n');
  const variables = { 'openvidu.recording.path': '/from/environment' };
  const definition = ['-D', 'openvidu.recording.path=/from/definition'];
  const ask = (words, environment) => printed(recto([...words, '--print-config'], environment), 'recording.path');
  assert.equal(ask(['--config', path.join(root, 'conf/recto.ini')]), '/opt/openvidu/recordings');
  assert.equal(ask(['--config', file]), '/from/file');
  assert.equal(ask(['--config', file], variables), '/from/environment');
  assert.equal(ask(['--config', file], { OPENVIDU_RECORDING_PATH: '/from/capitals' }), '/from/capitals');
  assert.equal(ask(['--config', file, ...definition], variables), '/from/definition');
});

test('--print-config hides the secret, wherever it comes from', () => {
  const file = path.join(folder, 'secret');
  writeFileSync(file, 'hush-hush\n', { mode: 0o600 });
  const config = path.join(root, 'conf/recto.ini');
  for (const words of [['-D', 'openvidu.secret=hush-hush'], ['-D', `openvidu.secret-file=${file}`]]) {
    const result = recto(['--config', config, ...words, '--print-config']);
    assert.equal(printed(result, 'secret'), '***');
    assert.doesNotMatch(result.stdout + result.stderr, /hush-hush/);
  }
});

test('secrets among the arguments are wiped from them, with a warning', async (t) => {
  const settings = { 'openvidu.secret': 'hush-hush', 'media.turn-server': 'turn://user:tell-nobody@127.0.0.1:3478' };
  const server = await Server.start({ name: 'wiped', settings });
  t.after(() => server.stop());
  const words = readFileSync(`/proc/${server.pid}/cmdline`, 'utf8');
  assert.match(words, /openvidu\.secret=\*+/);
  assert.match(words, /media\.turn-server=\*+/);
  assert.doesNotMatch(words, /hush-hush|tell-nobody/);
  assert.match(server.log(), /secret was given as an argument/);
});

test('--list-plugins prints what the server would list', async (t) => {
  const server = await Server.start({ name: 'list' });
  t.after(() => server.stop());
  const result = recto(['--config', path.join(root, 'conf/dev.ini'), '--list-plugins']);
  assert.equal(result.status, 0, result.stderr);
  const printed = JSON.parse(result.stdout);
  assert.deepEqual(printed.plugins.map(({ id, usable }) => [id, usable]), [['best_fit', true], ['custom_html', true], ['custom_subfolder', true], ['local', true], ['mp4', true]]);
  assert.deepEqual(printed, (await server.rest.get('/recto/api/v1/plugins')).expect(200).json);
});
