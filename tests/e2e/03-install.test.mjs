// make install puts a program in place that finds its own plugins and settings; make uninstall takes away the same.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { appendFileSync, cpSync, existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { build, root, temporaryFolder } from './lib/server.mjs';

const folder = temporaryFolder('install');
const copy = path.join(folder, 'build');

// A copy of the build: other installed folders are other compiled-in folders, and the tests need theirs.
cpSync(build, copy, {
  recursive: true,
  preserveTimestamps: true,
  filter: (name) => !/^\/(asan|clang|cover|fuzz|state|tests|tsan)(\/|$)/.test(name.slice(build.length)),
});

function make(target, prefix, ...variables) {
  const words = ['--no-print-directory', target, `B=${copy}`, `PREFIX=${prefix}`, ...variables];
  return execFileSync('make', words, { cwd: root, encoding: 'utf8', env: { ...process.env, MAKEFLAGS: '' } });
}

function listFiles(top) {
  if (!existsSync(top)) return [];
  const entries = readdirSync(top, { recursive: true }).map((name) => path.join(top, name));
  return entries.filter((name) => !statSync(name).isDirectory()).sort();
}

test('an installed program lists the installed plugins and reads the installed settings', () => {
  const prefix = path.join(folder, 'own');
  make('install', prefix);
  const program = path.join(prefix, 'bin/recto');
  const listed = spawnSync(program, ['--list-plugins'], { cwd: folder, encoding: 'utf8' });
  assert.equal(listed.status, 0, listed.stderr);
  for (const id of ['best_fit', 'custom_html', 'mp4'])
    assert.match(listed.stdout, new RegExp(`${prefix}/lib/recto/plugins/${id}\\.so`));
  appendFileSync(path.join(prefix, 'etc/recto/recto.ini'), '[layouts]\nTEAM = best_fit\n');
  const printed = spawnSync(program, ['--print-config'], { cwd: folder, encoding: 'utf8' });
  assert.match(printed.stdout, /^TEAM = best_fit$/m);
  assert.match(printed.stdout, new RegExp(`^config-directory = ${prefix}/etc/recto/plugins$`, 'm'));
});

test('the public headers are installed and compile from there', () => {
  const include = path.join(folder, 'own/include');
  for (const name of readdirSync(path.join(root, 'include/recto')).filter((file) => file.endsWith('.h'))) {
    const words = ['-std=c11', '-Wall', '-Werror', `-I${include}`, '-fsyntax-only', '-x', 'c', '-'];
    const result = spawnSync('cc', words, { input: `#include <recto/${name}>\n`, encoding: 'utf8' });
    assert.equal(result.status, 0, result.stderr);
  }
});

test('DESTDIR moves everything and changes nothing, and uninstall leaves nothing', () => {
  const stage = path.join(folder, 'stage');
  make('install', '/usr', `DESTDIR=${stage}`);
  const unit = readFileSync(path.join(stage, 'usr/lib/systemd/system/recto.service'), 'utf8');
  assert.match(unit, /^ExecStart=\/usr\/bin\/recto --config \/etc\/recto\/recto\.ini$/m);
  assert.doesNotMatch(unit, /@[A-Z]+@|stage/);
  assert.ok(existsSync(path.join(stage, 'etc/recto/recto.ini')));
  assert.ok(existsSync(path.join(stage, 'usr/lib/recto/plugins/mp4.so')));
  for (const file of ['layouts/README.md', 'layouts/custom/index.html', 'openvidu-browser/openvidu-browser-2.0.0.min.js'])
    assert.ok(existsSync(path.join(stage, 'usr/share/recto', file)), file);
  make('uninstall', '/usr', `DESTDIR=${stage}`);
  assert.deepEqual(listFiles(stage), []);
  assert.ok(!existsSync(path.join(stage, 'usr/lib/recto')));
});

test("an operator's settings survive installing and uninstalling", () => {
  const stage = path.join(folder, 'kept');
  const settings = path.join(stage, 'etc/recto/recto.ini');
  make('install', '/usr', `DESTDIR=${stage}`);
  appendFileSync(settings, '; mine\n');
  const mine = readFileSync(settings, 'utf8');
  assert.match(make('install', '/usr', `DESTDIR=${stage}`), /kept .*recto\.ini/);
  assert.equal(readFileSync(settings, 'utf8'), mine);
  make('uninstall', '/usr', `DESTDIR=${stage}`);
  assert.deepEqual(listFiles(stage), [settings]);
});
