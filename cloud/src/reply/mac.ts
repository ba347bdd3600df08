import { hash } from 'node:crypto';

/** HMAC-SHA-256 (RFC 2104) under one key. */
export class Mac {
  readonly #inner: Buffer;
  readonly #outer: Buffer;

  /** `secret`: at least 32 bytes and at most a block of 64. */
  constructor(secret: Uint8Array) {
    if (secret.length < 32 || secret.length > blockBytes) {
      throw new RangeError('a key has from 32 to 64 bytes');
    }
    this.#inner = pad(secret, 0x36);
    this.#outer = pad(secret, 0x5c);
  }

  /** 32 bytes. Two one-shot hashes: an `Hmac` object of `node:crypto` costs five times as much as what it computes. */
  of(bytes: Uint8Array): Buffer {
    const inner = hash('sha256', Buffer.concat([this.#inner, bytes]), 'buffer');
    return hash('sha256', Buffer.concat([this.#outer, inner]), 'buffer');
  }
}

const blockBytes = 64;

function pad(secret: Uint8Array, value: number): Buffer {
  const block = Buffer.alloc(blockBytes, value);
  for (const [at, byte] of secret.entries()) block[at] = byte ^ value;
  return block;
}
