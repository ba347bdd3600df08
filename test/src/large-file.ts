import { createCipheriv, createHash } from 'node:crypto';
import { closeSync, openSync, writeSync } from 'node:fs';

const pieceBytes = 4 * 1024 * 1024;

/** Bytes that repeat nowhere and are the same each time (AES-CTR over zeros), in pieces of 4 MiB. */
export function* largeBytes(length: number): Generator<Buffer> {
  const stream = createCipheriv('aes-128-ctr', Buffer.alloc(16), Buffer.alloc(16));
  const zeros = Buffer.alloc(pieceBytes);
  for (let left = length; left > 0; left -= pieceBytes) {
    yield stream.update(left < pieceBytes ? zeros.subarray(0, left) : zeros);
  }
}

/** Writes a file of `length` such bytes and returns its SHA-256 in hex. */
export function writeLargeFile(path: string, length: number): string {
  const hash = createHash('sha256');
  const file = openSync(path, 'wx');
  try {
    for (const piece of largeBytes(length)) {
      hash.update(piece);
      for (let at = 0; at < piece.length; ) at += writeSync(file, piece, at);
    }
  } finally {
    closeSync(file);
  }
  return hash.digest('hex');
}
