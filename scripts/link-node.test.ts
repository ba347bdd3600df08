import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const script = fileURLToPath(new URL('./link-node.cjs', import.meta.url));
const brought = `node-${process.platform}-${process.arch}`;

describe('after an install', () => {
  let folder = '';
  let link = '';
  const run = (userAgent = 'npm/11.19.1 node/v24.21.0 linux x64') =>
    execFileSync(process.execPath, [join(folder, 'scripts/link-node.cjs'), userAgent], {
      encoding: 'utf8',
    });
  const bring = (name: string): void => {
    mkdirSync(join(folder, 'node_modules', name, 'bin'), { recursive: true });
    writeFileSync(join(folder, 'node_modules', name, 'bin/node'), '');
  };

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'pullwire-link-'));
    link = join(folder, 'node_modules/.bin/node');
    mkdirSync(join(folder, 'node_modules/.bin'), { recursive: true });
    mkdirSync(join(folder, 'scripts'));
    copyFileSync(script, join(folder, 'scripts/link-node.cjs'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('the Node that npm brought has its link, made once', () => {
    bring(brought);
    for (let time = 0; time < 2; time += 1) {
      expect(run()).toBe('');
      expect(readlinkSync(link)).toBe(`../${brought}/bin/node`);
    }
  });

  it('a Node for other machines has none', () => {
    bring('node-plan9-vax');
    run();
    expect(existsSync(link)).toBe(false);
  });

  it('that npm ran on Node 18 somebody is told what is left out, and how to get it', () => {
    bring(brought);
    expect(run('npm/9.2.0 node/v18.20.4 linux x64 workspaces/false')).toMatch(
      /npm runs on Node 18 here.*PATH="\$PWD\/node_modules\/\.bin:\$PATH" npm ci/s,
    );
    expect(run('npm/9.2.0 node/v20.19.2 linux x64 workspaces/false')).toBe('');
  });
});
