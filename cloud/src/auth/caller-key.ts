import { hash, randomBytes } from 'node:crypto';
import { readableText } from './readable-text.ts';

/** `pwk_`, an id that names the key to people, and 256 random bits in base64url. */
const callerKeyPattern = /^pwk_([A-Za-z0-9_-]{6})_[A-Za-z0-9_-]{43}$/;

export interface CallerKey {
  readonly id: string;
  /** The secret: shown once to whoever asked for it, stored nowhere. */
  readonly key: string;
  readonly hash: string;
  readonly prefix: string;
}

/** Makes a key. `random` gives bytes nobody can guess. */
export function generateCallerKey(random: (bytes: number) => Buffer = randomBytes): CallerKey {
  const id = readableText(random(6));
  const key = `pwk_${id}_${random(32).toString('base64url')}`;
  return { id, key, hash: hashCallerKey(key), prefix: `pwk_${id}` };
}

/** Whether this has the form of a key; says nothing about whether there is one. */
export function isCallerKey(text: string): boolean {
  return callerKeyPattern.test(text);
}

/**
 * SHA-256 in base64url. Keys are found by it: what a look-up's time could tell is about the hash of a guess, which
 * says nothing about a key (a key has 256 random bits, so no slow hash is needed).
 */
export function hashCallerKey(key: string): string {
  return hash('sha256', key, 'base64url');
}
