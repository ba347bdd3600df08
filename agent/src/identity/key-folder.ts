import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { KeyError } from './device-key.ts';

/**
 * Makes the folder of a key, 0700, where it is missing.
 *
 * @throws KeyError where it cannot be made, or others can read what is there.
 */
export async function prepareKeyFolder(keyFile: string): Promise<void> {
  const folder = dirname(keyFile);
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const { mode } = await stat(folder);
    if ((mode & 0o077) === 0) return;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new KeyError(`${folder}: cannot be used for the key (${code ?? String(error)})`, {
      cause: error,
    });
  }
  throw new KeyError(
    `${folder}: others can read this folder, and the key must lie in one of its own; run: chmod 700 ${folder}`,
  );
}
