import { readFile, stat } from 'node:fs/promises';
import { KeyError } from './device-key.ts';

/** A token fits into a request's head. */
const tokenLimit = 8_192;

/** A mount of an orchestrator is often readable by a group, so only everybody else is worth a word. */
export async function canAnybodyRead(path: string): Promise<boolean> {
  const { mode } = await stat(path).catch(() => ({ mode: 0 }));
  return (mode & 0o007) !== 0;
}

/**
 * An issuer's token, as whoever renews it has put it there last.
 *
 * @throws KeyError, which holds nothing of it.
 */
export async function readTokenFile(path: string): Promise<string> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new KeyError(`${path}: the token cannot be read (${error.code})`, { cause: error });
  });
  const token = text.trim();
  if (
    token.length <= tokenLimit &&
    /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/.test(token)
  ) {
    return token;
  }
  throw new KeyError(`${path}: expected a token (JWT) and nothing else`);
}
