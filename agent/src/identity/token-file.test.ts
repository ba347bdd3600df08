import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { canAnybodyRead, readTokenFile } from './token-file.ts';

let folder: string;
let file: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pullwire-token-'));
  file = join(folder, 'token');
});
afterEach(() => rm(folder, { recursive: true }));

describe("an issuer's token in a file", () => {
  it('is what was put there last', async () => {
    await writeFile(file, 'ey1.ey2.sig\n');
    expect(await readTokenFile(file)).toBe('ey1.ey2.sig');
    await writeFile(file, 'ey1.ey3.sig');
    expect(await readTokenFile(file)).toBe('ey1.ey3.sig');
  });

  it.each([[''], ['secret'], ['a.b.c\nX-Evil: 1'], [`a.b.${'c'.repeat(8_192)}`]])(
    'is none, and is not quoted: %j',
    async (text) => {
      await writeFile(file, text);
      const error = (await readTokenFile(file).catch((thrown: unknown) => thrown)) as Error;
      expect(error.message).toBe(`${file}: expected a token (JWT) and nothing else`);
    },
  );

  it('that is missing is named', async () => {
    await expect(readTokenFile(file)).rejects.toThrow(`${file}: the token cannot be read (ENOENT)`);
    expect(await canAnybodyRead(file)).toBe(false);
  });

  it.each([
    [0o600, false],
    [0o640, false],
    [0o644, true],
  ])('with mode %o: everybody can read it is %s', async (mode, expected) => {
    await writeFile(file, 'a.b.c');
    await chmod(file, mode);
    expect(await canAnybodyRead(file)).toBe(expected);
  });
});
