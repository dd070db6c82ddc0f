// Builds plugins as a stranger would: one compiler call, outside the tree.
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { build, root, temporaryFolder } from './server.mjs';

/** Compiles one source file into a folder of its own. */
export function buildPlugin(source, folder = temporaryFolder('plugin')) {
  const id = path.basename(source, '.c');
  execFileSync(process.env.CC ?? 'cc', ['-shared', '-fPIC', `-I${path.join(root, 'include')}`, '-o', path.join(folder, `${id}.so`), source], { stdio: 'pipe' });
  return { id, folder };
}

/** The value of plugins.directories: our own plugins and these. */
export const pluginFolders = (...folders) => [path.join(build, 'plugins'), ...folders].join(',');
