/** Letters and digits that people do not mix up; 32 of them, so each byte gives 5 even bits. */
const letters = 'abcdefghijkmnpqrstuvwxyz23456789';

/** Bytes as text that can be read out and typed: a letter a byte, 5 bits each. */
export function readableText(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => letters[byte % letters.length]).join('');
}
