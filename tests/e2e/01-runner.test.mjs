// The runner that adds up all tests must not call a crash, a hang or a missing test a success.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { root, temporaryFolder } from './lib/server.mjs';

const folder = temporaryFolder('runner');

function writeProgram(name, text) {
  const file = path.join(folder, name);
  writeFileSync(file, text);
  chmodSync(file, 0o755);
  return file;
}

function run(words, environment = {}) {
  // node tells test programs that they run under it; the inner ones do not.
  const { NODE_TEST_CONTEXT, ...outer } = process.env;
  const env = { ...outer, CI: '', ...environment };
  const result = spawnSync(path.join(root, 'tests/run'), words, { env, encoding: 'utf8' });
  return { status: result.status, last: result.stdout.trimEnd().split('\n').at(-1), output: result.stdout };
}

// A process that ended but that nobody waits for is a zombie.
function isAlive(pid) {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

const shell = (text) => `#!/bin/sh\n${text}\n`;

for (const [name, text, last, status] of [
  ['good', 'echo 1..2; echo ok 1 a; echo ok 2 b', '2 passed, 0 failed, 0 skipped', 0],
  ['skips', 'echo 1..2; echo ok 1 a; echo "ok 2 b # SKIP no camera"', '1 passed, 0 failed, 1 skipped', 0],
  ['fails', 'echo 1..2; echo ok 1 a; echo not ok 2 b', '1 passed, 1 failed, 0 skipped', 1],
  ['stops-early', 'echo 1..3; echo ok 1 a', '1 passed, 1 failed, 0 skipped', 1],
  ['says-nothing', 'exit 0', '0 passed, 1 failed, 0 skipped', 1],
  ['ends-badly', 'echo 1..1; echo ok 1 a; exit 3', '1 passed, 1 failed, 0 skipped', 1],
  ['crashes', 'echo 1..1; echo ok 1 a; kill -SEGV $$', '1 passed, 1 failed, 0 skipped', 1],
])
  test(`a program that ${name}: ${last}`, () => {
    const result = run([writeProgram(name, shell(text))]);
    assert.equal(result.last, last, result.output);
    assert.equal(result.status, status);
  });

test('why a program failed is said first and again at the end', () => {
  const program = writeProgram('long', shell(`echo 1..1; seq 1000 | sed 's/^/# line /'
printf 'not ok 1 - adds\\n  ---\\n  error: "2 is not 3"\\n  stack: far\\n  ...\\n'`));
  const lines = run([program]).output.split('\n').map((line) => line.replace(/^ *\| */, ''));
  const [first, last] = [lines.indexOf('error: "2 is not 3"'), lines.lastIndexOf('error: "2 is not 3"')];
  assert.ok(first > 0 && first < 4, lines.slice(0, 10).join('\n'));
  assert.ok(last > lines.length - 5, lines.slice(-10).join('\n'));
});

test('with CI=true a skipped test counts as failed', () => {
  const program = writeProgram('skips-in-ci', shell('echo 1..2; echo ok 1 a; echo "ok 2 b # SKIP no camera"'));
  const result = run([program], { CI: 'true' });
  assert.equal(result.last, '1 passed, 1 failed, 0 skipped');
  assert.equal(result.status, 1);
});

test('a program that hangs is ended with all that it started', () => {
  const mark = path.join(folder, 'pid');
  const program = writeProgram('hangs', shell(`echo 1..1; sleep 1000 & echo $! > ${mark}; wait`));
  const result = run(['--timeout', '1', program]);
  assert.equal(result.last, '0 passed, 1 failed, 0 skipped');
  assert.match(result.output, /did not end within 1 s/);
  assert.ok(!isAlive(readFileSync(mark, 'utf8').trim()));
});

test('tests of node are counted without their suites', () => {
  const file = path.join(folder, 'inner.test.mjs');
  writeFileSync(file, `import { describe, test } from 'node:test';
    describe('suite', () => {
      test('passes', () => {});
      test('fails', () => { throw new Error('no'); });
      test('is skipped', { skip: 'no camera' }, () => {});
    });`);
  const result = run([file]);
  assert.equal(result.last, '1 passed, 1 failed, 1 skipped', result.output);
  assert.equal(result.status, 1);
});

test('a file of tests that cannot be loaded has failed', () => {
  const file = path.join(folder, 'broken.test.mjs');
  writeFileSync(file, "import './nothing-there.mjs';\n");
  const result = run([file]);
  assert.equal(result.last, '0 passed, 1 failed, 0 skipped');
  assert.equal(result.status, 1);
});

test('the total is that of all groups', () => {
  const good = writeProgram('one', shell('echo 1..1; echo ok 1 a'));
  const bad = writeProgram('two', shell('echo 1..1; echo not ok 1 a; exit 1'));
  const result = run(['--group', 'first', '--jobs', '2', good, good, '--group', 'second', bad, good]);
  assert.equal(result.last, '3 passed, 1 failed, 0 skipped');
  assert.match(result.output, /FAILED  second two: 1 failed/);
});
