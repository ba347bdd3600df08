import { hash } from 'node:crypto';

/** HMAC-SHA-256 (RFC 2104) under one key. */
export class Mac {
  /** Each a padded key, and room behind it for what is hashed with it. */
  readonly #inner: Buffer;
  readonly #outer: Buffer;

  /** `secret`: at least 32 bytes and at most a block of 64. */
  constructor(secret: Uint8Array) {
    if (secret.length < 32 || secret.length > blockBytes) {
      throw new RangeError('a key has from 32 to 64 bytes');
    }
    this.#inner = pad(secret, 0x36, longestBytes);
    this.#outer = pad(secret, 0x5c, hashBytes);
  }

  /** 32 bytes, of at most 1,024. Two one-shot hashes: an `Hmac` object of `node:crypto` costs five times as much as what it computes. */
  of(bytes: Uint8Array): Buffer {
    if (bytes.length > longestBytes) throw new RangeError(`more than ${longestBytes} bytes`);
    this.#inner.set(bytes, blockBytes);
    const end = blockBytes + bytes.length;
    this.#outer.set(hash('sha256', this.#inner.subarray(0, end), 'buffer'), blockBytes);
    return hash('sha256', this.#outer, 'buffer');
  }
}

const blockBytes = 64;
const hashBytes = 32;
const longestBytes = 1_024;

function pad(secret: Uint8Array, value: number, room: number): Buffer {
  const block = Buffer.alloc(blockBytes + room, value);
  for (const [at, byte] of secret.entries()) block[at] = byte ^ value;
  return block;
}
