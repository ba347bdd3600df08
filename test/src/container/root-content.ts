import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** Programs that an image which only runs has no use for, and an intruder has. */
const unwanted = [
  ...['ar', 'as', 'cc', 'c++', 'gcc', 'g++', 'ld', 'make', 'cmake', 'strip'],
  ...['corepack', 'npm', 'npx', 'pnpm', 'yarn', 'node-gyp', 'python', 'python3', 'pip'],
  ...['curl', 'git', 'wget'],
];
const programFolders = ['usr/local/sbin', 'usr/local/bin', 'usr/sbin', 'usr/bin', 'sbin', 'bin'];

/** Those of them that a root folder has, by their paths in it. */
export function buildTools(root: string): string[] {
  return programFolders
    .flatMap((folder) => unwanted.map((name) => `${folder}/${name}`))
    .filter((path) => existsSync(join(root, path)))
    .map((path) => `/${path}`);
}

/** Every file with JavaScript or TypeScript in it, by its name. */
export function javaScriptIn(root: string): string[] {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.[cm]?[jt]s$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length))
    .sort();
}
