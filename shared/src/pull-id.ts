import { Buffer } from 'node:buffer';
import { pullIdPattern } from './name.ts';
import { refuse } from './wire-error.ts';

const idBytes = 16;
const poolBytes = idBytes * 256;

/**
 * A generator of pull ids: 128 random bits as 22 characters of base64url (RFC 4648 §5, no padding).
 * `randomBytes` is asked for 4 KiB at a time, since a call to the system's generator costs more than an id.
 */
export function pullIds(randomBytes: (size: number) => Uint8Array): () => string {
  let pool = Buffer.alloc(0);
  let next = 0;
  return () => {
    if (next === pool.length) {
      pool = Buffer.from(randomBytes(poolBytes));
      if (pool.length !== poolBytes) throw new RangeError(`wanted ${poolBytes} random bytes`);
      next = 0;
    }
    next += idBytes;
    return pool.toString('base64url', next - idBytes, next);
  };
}

/** Returns the id; throws `WireError` where it is not the one spelling of 16 bytes. */
export function checkPullId(value: unknown): string {
  if (typeof value !== 'string' || !pullIdPattern.test(value)) {
    refuse('pullId', '22 characters of base64url that stand for 16 bytes');
  }
  return value;
}
