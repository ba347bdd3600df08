import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { NotServedError, openBelow } from './open-below.ts';

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'pullwire-'));
  mkdirSync(join(root, 'a/b'), { recursive: true });
  writeFileSync(join(root, 'a/b/file'), 'hello');
  symlinkSync('/etc', join(root, 'a/etc'));
  symlinkSync('b/file', join(root, 'a/link'));
});

afterEach(() => {
  rmSync(root, { recursive: true });
});

describe.each([
  ['with /proc', true],
  ['without /proc', false],
])('%s', (_how, hasProc) => {
  async function read(...names: string[]): Promise<string> {
    const { handle } = await openBelow(root, names, hasProc);
    try {
      return await handle.readFile('utf8');
    } finally {
      await handle.close();
    }
  }

  it('opens what the names lead to', async () => {
    expect(await read('a', 'b', 'file')).toBe('hello');
  });

  it('opens the root itself for no names', async () => {
    const { handle, path } = await openBelow(root, [], hasProc);
    expect((await handle.stat()).isDirectory()).toBe(true);
    expect(path).toContain(hasProc ? '/proc/self/fd/' : root);
    await handle.close();
  });

  it.each([[['a', 'link']], [['a', 'etc']], [['a', 'etc', 'hostname']], [['a', 'b', 'file', 'x']]])(
    'does not open %j',
    async (names) => {
      await expect(read(...names)).rejects.toThrow();
    },
  );

  it('does not open a device', async () => {
    await expect(openBelow('/dev', ['null'], hasProc)).rejects.toThrow(NotServedError);
  });
});
