// Measures this build on this machine and prints "name value unit" rows: node tests/bench/bench.mjs [SECTION...]
//
// A section is a file in sections/ that exports run(bench), and after, the names of sections that come before it. It starts what it needs, calls
// bench.row for each result and leaves nothing behind.
import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from '../e2e/lib/server.mjs';
import { judge } from './targets.mjs';

const folder = path.join(path.dirname(fileURLToPath(import.meta.url)), 'sections');
const begun = Date.now();

const firstLine = (program, ...words) => {
  try {
    return execFileSync(program, words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).split('\n')[0].trim();
  } catch {
    return 'none';
  }
};

function printHeader(sections) {
  const [cpu] = os.cpus();
  const lines = {
    machine: `${cpu.model}, ${os.cpus().length} cores, ${Math.round(os.totalmem() / 2 ** 20)} MB`,
    system: `${/PRETTY_NAME="(.*)"/.exec(readFileSync('/etc/os-release', 'utf8'))?.[1]}, Linux ${os.release()}`,
    'load before': os.loadavg().map((value) => value.toFixed(2)).join(' '),
    recto: `${firstLine(path.join(build, 'recto'), '--version')}, ${firstLine('git', 'describe', '--always', '--dirty')}`,
    gstreamer: firstLine('pkg-config', '--modversion', 'gstreamer-1.0'),
    x264: firstLine('dpkg-query', '-W', '-f', '${Version}', 'libx264-164'),
    ffmpeg: firstLine('ffmpeg', '-version').split(' ')[2],
    chromium: firstLine('chromium', '--version'),
    node: process.version,
    sections: sections.join(' '),
    date: new Date().toISOString(),
  };
  for (const [name, value] of Object.entries(lines))
    console.log(`# ${name}: ${value}`);
}

const bench = {
  rows: {},
  verdicts: [],

  /** Prints a result; digits behind the point. */
  row(name, value, unit, digits = 3) {
    const shown = Number.isFinite(value) ? Number(value.toFixed(digits)) : NaN;
    this.rows[name] = value;
    console.log(`${name} ${Number.isNaN(shown) ? 'none' : shown} ${unit}`);
    const verdict = judge(name, shown);
    if (verdict) {
      this.verdicts.push(verdict);
      console.log(`# ${verdict.text}`);
    }
  },

  /** Says something that is no row. */
  note(text) {
    console.log(`# [${((Date.now() - begun) / 1000).toFixed(0)} s] ${text}`);
  },
};

async function load() {
  const sections = new Map();
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.mjs')).sort())
    sections.set(path.basename(file, '.mjs'), await import(path.join(folder, file)));
  return sections;
}

/** Each behind those that it wants before it. */
function order(sections) {
  const ordered = [];
  const visit = (name) => {
    if (ordered.includes(name) || !sections.has(name))
      return;
    (sections.get(name).after ?? []).forEach(visit);
    ordered.push(name);
  };
  [...sections.keys()].forEach(visit);
  return ordered;
}

async function main(wanted) {
  const sections = await load();
  const unknown = wanted.filter((name) => !sections.has(name));
  if (unknown.length > 0)
    throw new Error(`there is no section ${unknown.join(' ')}: there are ${[...sections.keys()].join(' ')}`);
  const names = order(sections).filter((name) => wanted.length === 0 || wanted.includes(name));
  printHeader(names);
  let failures = 0;
  for (const name of names) {
    try {
      await sections.get(name).run(bench);
    } catch (error) {
      failures++;
      console.log(`# ${name} FAILED: ${error.stack}`);
    }
  }
  const missed = bench.verdicts.filter(({ isMet }) => !isMet);
  bench.note(`end: ${failures} sections failed, ${bench.verdicts.length - missed.length} of ${bench.verdicts.length} targets met`);
  missed.forEach(({ text }) => console.log(`# ${text}`));
  return failures;
}

process.setMaxListeners(0); // each server and folder is ended by one of its own on exit
for (const [signal, code] of [['SIGINT', 130], ['SIGTERM', 143]])
  process.on(signal, () => process.exit(code)); // what runs on exit ends what was started

main(process.argv.slice(2)).then((failures) => process.exit(failures > 0 ? 1 : 0), (error) => {
  console.error(`bench: ${error.message}`);
  process.exit(2);
});
