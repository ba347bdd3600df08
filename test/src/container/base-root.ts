import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const repository = fileURLToPath(new URL('../../../', import.meta.url));
const cache = join(repository, '.cache/container');

/** What debian:*-slim leaves out (debuerreotype, `.slimify-excludes`), and the sources that it has. */
const slim = ['doc', 'info', 'locale', 'man', 'lintian', 'linda', 'groff'];
const mirrors = (release: string): string[] => [
  `deb http://deb.debian.org/debian ${release} main`,
  `deb http://deb.debian.org/debian ${release}-updates main`,
  `deb http://deb.debian.org/debian-security ${release}-security main`,
];

/**
 * Lays out what an official image holds in a new folder, made from Debian's packages and npm's, since no registry of
 * images is asked: `debian:RELEASE-DATE-slim` is the minimal Debian of today in place of that day's, and
 * `node:VERSION-RELEASE-slim` has Node and npm besides, where that image has them.
 *
 * @throws Error where the image is neither, or where this checkout's Node is of another version.
 */
export function layOutBase(image: string, root: string): void {
  const debian = /^debian:([a-z]+)-\d{8}-slim$/.exec(image);
  const node = /^node:([\d.]+)-([a-z]+)-slim$/.exec(image);
  const release = debian?.[1] ?? node?.[2];
  if (release === undefined)
    throw new Error(`${image}: only node and debian, slim, are known here`);
  layOutDebian(release, root);
  if (node?.[1] !== undefined) addNode(root, node[1]);
}

/** The minimal Debian of today in a new folder: what is essential, and apt. `release`: `bookworm`. */
export function layOutDebian(release: string, root: string): void {
  mkdirSync(root);
  execFileSync('tar', ['--extract', '--file', debianTar(release), '--directory', root]);
}

/** Made once for what it is made of, and kept in the checkout's cache. */
function debianTar(release: string): string {
  const options = [
    '--variant=minbase',
    // As in the official image: /bin is a link from the beginning, and nothing with Perl has to make it one.
    '--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr',
    '--include=usr-is-merged',
    ...slim.map((name) => `--dpkgopt=path-exclude=/usr/share/${name}/*`),
    '--dpkgopt=path-include=/usr/share/doc/*/copyright',
  ];
  const sources = mirrors(release);
  const name = createHash('sha256')
    .update(JSON.stringify([options, sources]))
    .digest('hex');
  const tar = join(cache, `${release}-${name.slice(0, 12)}.tar`);
  if (existsSync(tar)) return tar;
  mkdirSync(cache, { recursive: true });
  const fresh = `${tar}.new.${process.pid}.tar`;
  execFileSync('mmdebstrap', ['--quiet', ...options, release, fresh, ...sources], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  renameSync(fresh, tar);
  return tar;
}

function addNode(root: string, version: string): void {
  const folder = join(repository, 'node_modules', `node-linux-${process.arch}`);
  const { version: found } = readJson(join(folder, 'package.json'));
  if (found !== version) throw new Error(`the image has Node ${version}, this checkout ${found}`);
  const local = join(root, 'usr/local');
  for (const part of ['bin/node', 'include', 'LICENSE']) {
    cpSync(join(folder, part), join(local, part), { recursive: true });
  }
  addNpm(local);
}

/** The npm that the root package.json names, as the official image has one: unpacked, with a link in `bin`. */
function addNpm(local: string): void {
  const { packageManager = '' } = readJson(join(repository, 'package.json'));
  const folder = mkdtempSync(join(cache, 'npm-'));
  try {
    execFileSync('npm', ['pack', '--silent', packageManager, '--pack-destination', folder]);
    const tarball = `${packageManager.replace('@', '-')}.tgz`;
    const npm = join(local, 'lib/node_modules/npm');
    mkdirSync(npm, { recursive: true });
    const unpack = ['--extract', '--strip-components=1', '--no-same-owner'];
    execFileSync('tar', [...unpack, '--file', join(folder, tarball), '--directory', npm]);
    execFileSync('ln', ['-s', '../lib/node_modules/npm/bin/npm-cli.js', join(local, 'bin/npm')]);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function readJson(file: string): { version?: string; packageManager?: string } {
  return JSON.parse(readFileSync(file, 'utf8')) as { version?: string; packageManager?: string };
}
