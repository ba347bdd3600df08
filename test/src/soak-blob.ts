import { createHash } from 'node:crypto';

/** What `/blob/{bytes}/{seed}` answers: told apart from every other answer by its bytes. */
export function blobOf(bytes: number, seed: string): Buffer {
  const unit = createHash('sha512').update(`${bytes} ${seed}`).digest();
  return Buffer.alloc(bytes, unit);
}

/** The body for a path, where it is one of these. */
export function blobAt(path: string): Buffer | undefined {
  const [, bytes, seed] = /^\/blob\/(\d{1,8})\/([\w-]{1,80})$/.exec(path) ?? [];
  return bytes === undefined || seed === undefined ? undefined : blobOf(Number(bytes), seed);
}
