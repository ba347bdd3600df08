import { createHash } from 'node:crypto';
import type { SpoolReading, SpoolRow } from './spool-reading.ts';

/** A reading that can be told from every other one, and from a damaged one: for tests. */
export function numberedReading(at: number): SpoolReading {
  const entry = {
    schedule: 'numbers',
    at,
    source: 's',
    path: '/',
    ms: 1,
    status: 200,
    headers: [],
  };
  return { entry, body: bodyOf(at), step: 0 };
}

/** @throws where the row is not as it was put in. */
export function checkNumber({ entry, body }: SpoolRow): number {
  if (!bodyOf(entry.at).equals(body)) throw new Error(`reading ${entry.at} is damaged`);
  return entry.at;
}

/** 32 to 2,080 bytes. */
function bodyOf(at: number): Buffer {
  const hash = createHash('sha256').update(String(at)).digest();
  return Buffer.concat(Array.from({ length: 1 + (at % 65) }, () => hash));
}
